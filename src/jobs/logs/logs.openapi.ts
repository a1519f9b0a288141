import { applyDecorators } from '@nestjs/common';
import { ApiOperation, ApiQuery, ApiResponse } from '@nestjs/swagger';
import { json } from '../../platform/http/openapi/body.js';
import { ApiProblems } from '../../platform/http/problem/problem.openapi.js';
import { ApiJob } from '../job/job.openapi.js';
import { JOB_LOGS } from './logs.schema.js';

export const ApiLogs = () =>
  applyDecorators(
    ApiOperation({
      operationId: 'getJobLogs',
      summary: "A job's log",
      description:
        'What the command of a process task wrote to standard error: the last 1 MiB of each attempt, while it runs and after. Jobs of other tasks have none. Scope: `compute:read`.',
      tags: ['Jobs'],
    }),
    ApiQuery({
      name: 'after',
      required: false,
      description: 'Where to go on: the `after` of an earlier page.',
      schema: { type: 'string', pattern: '^\\d{1,9}\\.\\d{1,9}$' },
    }),
    ApiQuery({
      name: 'limit',
      required: false,
      description: 'Most pieces.',
      schema: { type: 'integer', minimum: 1, maximum: 100, default: 100 },
    }),
    ApiJob(),
    ApiResponse({
      status: 200,
      description: 'One page of the log; an empty one at its end.',
      content: json(JOB_LOGS, {
        page: {
          logs: [
            {
              attempt: 1,
              number: 1,
              at: '2026-01-31T12:00:00.000Z',
              text: 'read 1241 stations of 12 holes\n',
            },
          ],
          after: '1.1',
          more: false,
        },
      }),
    }),
    ApiProblems('malformed-request'),
  );
