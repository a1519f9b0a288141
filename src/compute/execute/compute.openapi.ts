import { applyDecorators } from '@nestjs/common';
import { ApiBody, ApiHeader, ApiOperation, ApiParam, ApiQuery, ApiResponse } from '@nestjs/swagger';
import type { SchemaObject } from '../../platform/http/problem/openapi-types.js';
import { z } from 'zod';
import { EXECUTE_OPTIONS } from './execute-options.js';
import { EXAMPLE_ORGANIZATION } from '../../jobs/job/example-organization.js';
import { ApiOrganization, ApiOrganizationRead } from '../../jobs/read/jobs.openapi.js';
import { ApiProblems } from '../../platform/http/problem/problem.openapi.js';

/** The wishes of a client for one job, as a body schema refers to them. */
export const EXECUTE_OPTIONS_REF: { $ref: string } = {
  $ref: '#/components/schemas/ExecuteOptions',
};

/** Bodies of the catalogue and of execute. */
export const CATALOGUE_SCHEMAS: Record<string, SchemaObject> = {
  ExecuteOptions: executeOptionsSchema(),
  Task: {
    type: 'object',
    required: ['key', 'topic', 'name', 'display_name', 'version', 'description'],
    properties: {
      key: { type: 'string', examples: ['geostatistics/kriging'] },
      topic: { type: 'string', examples: ['geostatistics'] },
      name: { type: 'string', examples: ['kriging'] },
      display_name: { type: 'string', examples: ['Kriging'] },
      version: { type: 'string', examples: ['1.0.0'] },
      description: { type: 'string', description: 'Markdown.' },
      feature_flag: {
        type: 'string',
        description: 'Of a preview task, which needs the header `API-Preview: opt-in`.',
      },
      parameters: { type: 'object', description: 'JSON Schema 2020-12; with `details=true` only.' },
      results: { type: 'object', description: 'JSON Schema 2020-12; with `details=true` only.' },
    },
  },
  TaskPage: {
    type: 'object',
    required: ['limit', 'offset', 'total', 'count', 'results'],
    properties: {
      limit: { type: 'integer' },
      offset: { type: 'integer' },
      total: { type: 'integer', description: 'How many tasks there are.' },
      count: { type: 'integer', description: 'How many of them this page has.' },
      results: { type: 'array', items: { $ref: '#/components/schemas/Task' } },
    },
  },
};

export const ApiExecute = () =>
  applyDecorators(
    ApiOperation({
      operationId: 'executeTask',
      summary: 'Execute a task',
      description:
        'Creates a job. The answer is 303 without a body; `Location` is the path of its status. Scope: `compute:execute`.',
      tags: ['Tasks'],
    }),
    ApiOrganization(),
    ...['topic', 'task'].map((name) =>
      ApiParam({
        name,
        description: `The compute ${name}.`,
        schema: {
          type: 'string',
          pattern: '^[a-z0-9][a-z0-9-]{0,62}$',
          example: name === 'topic' ? 'diagnostics' : 'sleep',
        },
      }),
    ),
    ApiHeader({
      name: 'API-Preview',
      required: false,
      description: 'Needed by preview tasks, ignored by others.',
      schema: { type: 'string', enum: ['opt-in'] },
    }),
    ApiHeader({
      name: 'Idempotency-Key',
      required: false,
      description:
        'Makes repeating safe: for 24 hours, the same key with the same body (byte for byte) is answered with the same job. With another body it is 422. Keys of other organizations and tasks are others.',
      schema: { type: 'string', pattern: '^[\\x21-\\x7e]{1,255}$' },
    }),
    ApiBody({
      required: true,
      schema: {
        type: 'object',
        required: ['parameters'],
        properties: {
          parameters: { type: 'object', description: "Judged by the task's own schema." },
          options: EXECUTE_OPTIONS_REF,
        },
      },
      examples: { sleep: { value: { parameters: { seconds: 2, steps: 4 } } } },
    }),
    ApiResponse({
      status: 303,
      description: 'The job is stored and will be run.',
      headers: {
        Location: {
          description: "The path of the job's status.",
          schema: {
            type: 'string',
            format: 'uri-reference',
            examples: [
              `/compute/orgs/${EXAMPLE_ORGANIZATION}/diagnostics/sleep/019a0b5c-7d2e-7f31-8a44-5b6c7d8e9f00/status`,
            ],
          },
        },
      },
    }),
    ApiProblems(
      'malformed-request',
      'preview-api',
      'unauthorized',
      'forbidden',
      'not-found',
      'not-acceptable',
      'conflict',
      'payload-too-large',
      'unsupported-media-type',
      'invalid-parameters',
      'too-many-requests',
      'internal-error',
      'unavailable',
    ),
  );

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
      content: { 'application/json': { schema: { $ref: '#/components/schemas/TaskPage' } } },
    }),
  );

function executeOptionsSchema(): SchemaObject {
  const { $schema: _dialect, ...schema } = z.toJSONSchema(EXECUTE_OPTIONS, { io: 'input' });
  return schema as SchemaObject;
}
