import { applyDecorators } from '@nestjs/common';
import { ApiOperation, ApiResponse } from '@nestjs/swagger';
import { json } from '../../platform/http/openapi/body.js';
import { EXAMPLE_JOB_URL, TASK_FAILED } from '../job/examples.js';
import { ApiJob } from '../job/job.openapi.js';
import { JOB_CANCELED } from '../job/job-problems.js';
import { JOB_ONGOING, JOB_RESULTS } from './results.schema.js';
import { RETRY_AFTER } from './retry-after.openapi.js';
import { ApiWait, PREFERENCE_APPLIED } from './watch/wait.openapi.js';

export const ApiResults = () =>
  applyDecorators(
    ApiOperation({
      operationId: 'getJobResults',
      summary: "A job's results or error",
      description:
        'A failed or canceled job answers 200 with its `error`, never a 4xx or 5xx. Scope: `compute:read`.',
      tags: ['Jobs'],
    }),
    ApiJob(),
    ApiWait('the job has ended'),
    ApiResponse({
      status: 200,
      description: 'The job has ended.',
      headers: PREFERENCE_APPLIED,
      content: json(JOB_RESULTS, {
        succeeded: { status: 'succeeded', results: { message: 'Slept 2 seconds', seconds: 2 } },
        failed: { status: 'failed', error: TASK_FAILED },
        canceled: { status: 'canceled', error: JOB_CANCELED },
      }),
    }),
    ApiResponse({
      status: 202,
      description: 'The job is ongoing.',
      headers: { ...RETRY_AFTER, ...PREFERENCE_APPLIED },
      content: json(JOB_ONGOING, {
        'in progress': {
          status: 'in progress',
          links: { cancel: EXAMPLE_JOB_URL, status: `${EXAMPLE_JOB_URL}/status` },
        },
      }),
    }),
  );
