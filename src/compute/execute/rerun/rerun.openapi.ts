import { applyDecorators } from '@nestjs/common';
import { ApiBody, ApiHeader, ApiOperation } from '@nestjs/swagger';
import { ApiJob } from '../../../jobs/job/job.openapi.js';
import {
  ApiExecuteProblems,
  ApiIdempotencyKey,
  ApiJobCreated,
  EXECUTE_OPTIONS_REF,
} from '../execute.openapi.js';

export const ApiRerun = () =>
  applyDecorators(
    ApiOperation({
      operationId: 'rerunJob',
      summary: 'Run an ended job again',
      description:
        'Creates a job with the same parameters and options but `run_after`, and the label `rerun-of`. What the body has takes the place of what the job had; there need be none. A job that has not ended is refused with 409. The answer is that of execute. Scope: `compute:execute`.',
      tags: ['Jobs'],
    }),
    ApiJob(),
    ApiHeader({
      name: 'API-Preview',
      required: false,
      description: 'Needed by preview tasks, ignored by others.',
      schema: { type: 'string', enum: ['opt-in'] },
    }),
    ApiIdempotencyKey(),
    ApiBody({
      required: false,
      schema: {
        type: 'object',
        properties: {
          parameters: { type: 'object', description: "Judged by the task's own schema." },
          options: EXECUTE_OPTIONS_REF,
        },
      },
      examples: { 'with other parameters': { value: { parameters: { seconds: 3 } } } },
    }),
    ApiJobCreated(),
    ApiExecuteProblems(),
  );
