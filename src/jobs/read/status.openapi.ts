import { applyDecorators } from '@nestjs/common';
import { ApiOperation, ApiResponse } from '@nestjs/swagger';
import { json } from '../../platform/http/openapi/body.js';
import { EXAMPLE_JOB_URL, TASK_FAILED } from '../job/examples.js';
import { ApiJob } from '../job/job.openapi.js';
import { JOB_CANCELED } from '../job/job-problems.js';
import { RETRY_AFTER } from './retry-after.openapi.js';
import { ApiWait, PREFERENCE_APPLIED } from './watch/wait.openapi.js';
import { JOB_STATUS } from './status.schema.js';

const ONGOING = {
  status: 'in progress' as const,
  progress: 40,
  message: 'Estimated 1241 of 3103 points',
  links: { cancel: EXAMPLE_JOB_URL },
};

export const ApiStatus = () =>
  applyDecorators(
    ApiOperation({
      operationId: 'getJobStatus',
      summary: "A job's status, progress, message and error",
      description: 'Poll this until it answers 200. Scope: `compute:read`.',
      tags: ['Jobs'],
    }),
    ApiJob(),
    ApiWait("the job's status changes"),
    ApiResponse({
      status: 200,
      description: 'The job has ended.',
      headers: PREFERENCE_APPLIED,
      content: json(JOB_STATUS, {
        succeeded: {
          status: 'succeeded',
          progress: 100,
          message: 'Estimated 3103 points',
          links: { result: EXAMPLE_JOB_URL },
        },
        failed: {
          status: 'failed',
          progress: 40,
          error: TASK_FAILED,
          links: { result: EXAMPLE_JOB_URL },
        },
        canceled: {
          status: 'canceled',
          progress: 40,
          error: JOB_CANCELED,
          links: { result: EXAMPLE_JOB_URL },
        },
      }),
    }),
    ApiResponse({
      status: 202,
      description: 'The job is ongoing.',
      headers: { ...RETRY_AFTER, ...PREFERENCE_APPLIED },
      content: json(JOB_STATUS, {
        requested: { status: 'requested', progress: 0, links: { cancel: EXAMPLE_JOB_URL } },
        'in progress': ONGOING,
        canceling: { ...ONGOING, status: 'canceling' },
      }),
    }),
  );
