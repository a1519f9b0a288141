import { applyDecorators } from '@nestjs/common';
import { ApiBody, ApiHeader, ApiOperation, ApiParam, ApiResponse } from '@nestjs/swagger';
import { EXAMPLE_ORGANIZATION } from '../../jobs/job/examples.js';
import { ApiOrganization } from '../../jobs/job/job.openapi.js';
import { ApiWait, PREFERENCE_APPLIED } from '../../jobs/read/watch/wait.openapi.js';
import type { ResponseObject } from '../../platform/http/openapi/openapi-types.js';
import { ApiProblems } from '../../platform/http/problem/problem.openapi.js';

/** The wishes of a client for one job, as a body schema refers to them. */
export const EXECUTE_OPTIONS_REF: { $ref: string } = {
  $ref: '#/components/schemas/ExecuteOptions',
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
    ApiExecuteRequest(),
    ApiWait('the job has ended; it is a 303 without a body all the same'),
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
    ApiJobCreated(PREFERENCE_APPLIED),
    ApiExecuteProblems(),
  );

/** The answer that tells of a new job. @param headers that it may have besides */
export const ApiJobCreated = (headers: ResponseObject['headers'] = {}) =>
  ApiResponse({
    status: 303,
    description: 'The job is stored and will be run.',
    headers: {
      ...headers,
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
  });

export const ApiIdempotencyKey = () =>
  ApiHeader({
    name: 'Idempotency-Key',
    required: false,
    description:
      'Makes repeating safe: for 24 hours, the same key with the same body (byte for byte) is answered with the same job. With another body it is 422. Keys of other organizations and tasks are others.',
    schema: { type: 'string', pattern: '^[\\x21-\\x7e]{1,255}$' },
  });

/** Path and headers of requests that execute a task. */
export const ApiExecuteRequest = () =>
  applyDecorators(
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
    ApiIdempotencyKey(),
  );

/** What such requests may be answered instead. */
export const ApiExecuteProblems = () =>
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
  );
