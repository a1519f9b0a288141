import { applyDecorators } from '@nestjs/common';
import { ApiOperation, ApiQuery, ApiResponse } from '@nestjs/swagger';
import { json } from '../../platform/http/openapi/body.js';
import { ApiOrganizationRead } from '../job/job.openapi.js';
import { AUDIT_PAGE } from './audit.schema.js';
import { AUDIT_ACTIONS } from './audit.store.js';

export const ApiAudit = () =>
  applyDecorators(
    ApiOperation({
      operationId: 'listAudit',
      summary: 'Who did what',
      description:
        'Submits, cancels, purges and changes of limits, from which address and in which request. Scope: `compute:admin`.',
      tags: ['Administration'],
    }),
    ApiOrganizationRead(),
    ApiQuery({
      name: 'action',
      required: false,
      schema: { type: 'string', enum: [...AUDIT_ACTIONS] },
    }),
    ApiQuery({
      name: 'subject',
      required: false,
      description: "The token's `sub`, exactly.",
      schema: { type: 'string', minLength: 1, maxLength: 256 },
    }),
    ApiQuery({ name: 'job_id', required: false, schema: { type: 'string', format: 'uuid' } }),
    ApiQuery({
      name: 'limit',
      required: false,
      schema: { type: 'integer', minimum: 1, maximum: 200, default: 50 },
    }),
    ApiQuery({
      name: 'cursor',
      required: false,
      description: 'Where to go on: use the `next` of a page instead.',
      schema: { type: 'string' },
    }),
    ApiResponse({
      status: 200,
      description: 'One page.',
      content: json(AUDIT_PAGE, {
        page: {
          results: [
            {
              id: '019a0b5c-7d2e-7f31-8a44-5b6c7d8e9f00',
              at: '2026-01-31T12:00:00.000Z',
              action: 'job.submit',
              subject: 'ada',
              client: 'notebook',
              job_id: '019a0b5c-7d2e-7f31-8a44-5b6c7d8e9f00',
              topic: 'geostatistics',
              task: 'kriging',
              address: '203.0.113.7',
              request_id: '4f9c4c5e-6a0a-4a64-9a6c-0f4f3c1d2e3b',
              detail: null,
            },
          ],
          next: null,
        },
      }),
    }),
  );
