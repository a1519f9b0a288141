import { applyDecorators } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiResponse } from '@nestjs/swagger';
import { EXAMPLE_JOB, EXAMPLE_JOB_URL } from '../../../jobs/job/examples.js';
import { json } from '../../../platform/http/openapi/body.js';
import { MAX_BATCH } from './batch-body.js';
import { BATCH } from './batch.schema.js';
import { ApiExecuteProblems, ApiExecuteRequest, EXECUTE_OPTIONS_REF } from '../execute.openapi.js';

export const ApiBatch = () =>
  applyDecorators(
    ApiOperation({
      operationId: 'executeTaskBatch',
      summary: 'Execute a task many times at once',
      description:
        'Creates a job for each of the parameters, in one commit: all or none. Counts as one request, and as so many submits. Scope: `compute:execute`.',
      tags: ['Tasks'],
    }),
    ApiExecuteRequest(),
    ApiBody({
      required: true,
      schema: {
        type: 'object',
        required: ['parameters'],
        properties: {
          parameters: {
            type: 'array',
            items: { type: 'object' },
            minItems: 1,
            maxItems: MAX_BATCH,
            description: "Each is judged by the task's own schema.",
          },
          options: EXECUTE_OPTIONS_REF,
        },
      },
      examples: { sleep: { value: { parameters: [{ seconds: 1 }, { seconds: 2 }] } } },
    }),
    ApiResponse({
      status: 200,
      description: 'The jobs are stored and will be run.',
      content: json(BATCH, {
        'one job': {
          results: [
            {
              id: EXAMPLE_JOB,
              links: {
                status: `${EXAMPLE_JOB_URL}/status`,
                result: EXAMPLE_JOB_URL,
                cancel: EXAMPLE_JOB_URL,
              },
            },
          ],
        },
      }),
    }),
    ApiExecuteProblems(),
  );
