import { applyDecorators } from '@nestjs/common';
import { ApiOperation, ApiQuery, ApiResponse } from '@nestjs/swagger';
import { ApiOrganizationRead } from '../../jobs/job/job.openapi.js';
import { referenceTo } from '../../platform/http/openapi/components.js';
import { TASK_PAGE } from './catalogue.schema.js';

export const ApiCatalogue = () =>
  applyDecorators(
    ApiOperation({
      operationId: 'listTasks',
      summary: 'The tasks that the organization may run',
      description: 'Sorted by key. Scope: `compute:read`.',
      tags: ['Tasks'],
    }),
    ApiOrganizationRead(),
    ApiQuery({
      name: 'details',
      required: false,
      description: 'Whether to add the JSON Schemas of parameters and results.',
      schema: { type: 'boolean', default: false },
    }),
    ApiQuery({
      name: 'limit',
      required: false,
      schema: { type: 'integer', minimum: 1, maximum: 1000, default: 100 },
    }),
    ApiQuery({
      name: 'offset',
      required: false,
      schema: { type: 'integer', minimum: 0, maximum: 1_000_000, default: 0 },
    }),
    ApiResponse({
      status: 200,
      description: 'One page of the catalogue.',
      content: { 'application/json': { schema: referenceTo(TASK_PAGE) } },
    }),
  );
