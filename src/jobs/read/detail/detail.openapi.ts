import { applyDecorators } from '@nestjs/common';
import { ApiOperation, ApiResponse } from '@nestjs/swagger';
import { json } from '../../../platform/http/openapi/body.js';
import { EXAMPLE_JOB, EXAMPLE_JOB_URL, TASK_FAILED } from '../../job/examples.js';
import { ApiJob } from '../../job/job.openapi.js';
import { JOB_DETAIL } from './detail.schema.js';

export const ApiDetail = () =>
  applyDecorators(
    ApiOperation({
      operationId: 'getJobDetail',
      summary: 'All that is kept about a job, with its attempts',
      description: 'Options, counters, times, and every attempt. Scope: `compute:read`.',
      tags: ['Jobs'],
    }),
    ApiJob(),
    ApiResponse({
      status: 200,
      description: 'The job, ongoing or ended.',
      content: json(JOB_DETAIL, {
        'in its second attempt': {
          id: EXAMPLE_JOB,
          topic: 'geostatistics',
          task: 'kriging',
          status: 'in progress',
          progress: 40,
          message: 'Estimated 1241 of 3103 points',
          labels: { project: 'meuse' },
          priority: 0,
          attempt: 2,
          max_attempts: 3,
          failures: 1,
          crashes: 0,
          timeout: null,
          run_after: null,
          expires_at: null,
          created_at: '2026-01-31T12:00:00.000Z',
          started_at: '2026-01-31T12:00:09.000Z',
          ended_at: null,
          estimate: { ends_in: 6.5 },
          waited_seconds: 1,
          run_seconds: 11.3,
          parameters_sha256: '44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a',
          task_version: '1.0.0',
          program_version: '0.1.0',
          attempts: [
            {
              attempt: 1,
              started_at: '2026-01-31T12:00:01.000Z',
              ended_at: '2026-01-31T12:00:08.000Z',
              outcome: 'failed',
              worker: '019a0b5c-0000-7000-8000-000000000001',
              program_version: '0.1.0',
              task_version: '1.0.0',
              problem: TASK_FAILED,
            },
            {
              attempt: 2,
              started_at: '2026-01-31T12:00:09.000Z',
              ended_at: null,
              outcome: null,
              worker: '019a0b5c-0000-7000-8000-000000000001',
              program_version: '0.1.0',
              task_version: '1.0.0',
            },
          ],
          links: { status: `${EXAMPLE_JOB_URL}/status`, cancel: EXAMPLE_JOB_URL },
        },
      }),
    }),
  );
