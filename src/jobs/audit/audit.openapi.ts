import { applyDecorators } from '@nestjs/common';
import { ApiOperation, ApiQuery, ApiResponse } from '@nestjs/swagger';
import type { SchemaObject } from '../../platform/http/problem/openapi-types.js';
import { AUDIT_ACTIONS } from './audit.store.js';
import { ApiOrganizationRead, json } from '../read/jobs.openapi.js';

const text = (description: string): SchemaObject => ({ type: ['string', 'null'], description });

/** Bodies of the audit route. */
export const AUDIT_SCHEMAS: Record<string, SchemaObject> = {
  AuditPage: {
    type: 'object',
    required: ['results', 'next'],
    properties: {
      results: {
        type: 'array',
        description: 'Newest first.',
        items: {
          type: 'object',
          required: [
            'id',
            'at',
            'action',
            'subject',
            'client',
            'job_id',
            'topic',
            'task',
            'address',
            'request_id',
            'detail',
          ],
          properties: {
            id: { type: 'string', format: 'uuid' },
            at: { type: 'string', format: 'date-time' },
            action: { type: 'string', enum: [...AUDIT_ACTIONS] },
            subject: text("The token's `sub`, or the operator."),
            client: text('The application that the token was given to.'),
            job_id: { ...text('The job, if it is about one.'), format: 'uuid' },
            topic: text("The job's topic."),
            task: text("The job's task."),
            address: text('Where the request came from.'),
            request_id: text('As in `X-Request-Id` and in the log.'),
            detail: { type: ['object', 'null'], description: 'What was changed, and to what.' },
          },
        },
      },
      next: { type: ['string', 'null'], format: 'uri', description: 'The next page; null: none.' },
    },
  },
};

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
      content: json('AuditPage', {
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
