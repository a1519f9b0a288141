import { applyDecorators } from '@nestjs/common';
import { ApiOperation, ApiQuery, ApiResponse } from '@nestjs/swagger';
import { json } from '../../platform/http/openapi/body.js';
import { EXAMPLE_JOB, EXAMPLE_JOB_URL } from '../job/examples.js';
import { ApiOrganizationRead } from '../job/job.openapi.js';
import { JOB_STATUSES } from '../job/job-status.js';
import { JOB_PAGE, JOB_SUMMARY } from './job-list.schema.js';

const TEXT = { type: 'string' as const };
const STATUSES = {
  type: 'array' as const,
  items: { type: 'string' as const, enum: [...JOB_STATUSES] },
};
const TEXTS = { type: 'array' as const, items: TEXT };
const MOMENT = { type: 'string' as const, format: 'date-time' };

const SEVERAL = { required: false, isArray: true, explode: true, style: 'form' as const };
const ONE = { required: false };

/** The members of a filter in a query that tell of times. */
const ApiJobTimes = () =>
  applyDecorators(
    ApiQuery({
      ...ONE,
      name: 'created_after',
      schema: MOMENT,
      description: 'Submitted then or later.',
    }),
    ApiQuery({ ...ONE, name: 'created_before', schema: MOMENT, description: 'Submitted before.' }),
    ApiQuery({ ...ONE, name: 'ended_after', schema: MOMENT, description: 'Ended then or later.' }),
    ApiQuery({ ...ONE, name: 'ended_before', schema: MOMENT, description: 'Ended before.' }),
  );

/** All other members of a filter in a query. */
export const ApiJobFilter = () =>
  applyDecorators(
    ApiQuery({ ...SEVERAL, name: 'status', schema: STATUSES, description: 'Any of these.' }),
    ApiQuery({ ...ONE, name: 'topic', schema: TEXT }),
    ApiQuery({ ...ONE, name: 'task', schema: TEXT, description: 'Only with `topic`.' }),
    ApiQuery({
      ...SEVERAL,
      name: 'label',
      schema: TEXTS,
      description: '`name:value`; all of these.',
    }),
    ApiQuery({
      ...SEVERAL,
      name: 'exclude_status',
      schema: STATUSES,
      description: 'None of these.',
    }),
    ApiQuery({
      ...SEVERAL,
      name: 'exclude_label',
      schema: TEXTS,
      description: '`name:value`; none of these.',
    }),
    ApiQuery({
      ...SEVERAL,
      name: 'exclude_task',
      schema: TEXTS,
      description: '`topic/task`; none of these.',
    }),
    ApiQuery({
      ...ONE,
      name: 'q',
      schema: { type: 'string', minLength: 1, maxLength: 256 },
      description:
        'A job id or its first eight or more digits; else words that are looked for in label values and titles of errors, among the newest 10,000 jobs that the rest of the filter leaves.',
    }),
  );

export const ApiJobList = () =>
  applyDecorators(
    ApiOperation({
      operationId: 'listJobs',
      summary: 'List jobs, newest first',
      description:
        'All filters hold together. Go on with `next` until it is null: a page may have room left although there are more. Scope: `compute:read`.',
      tags: ['Jobs'],
    }),
    ApiOrganizationRead(),
    ApiJobFilter(),
    ApiJobTimes(),
    ApiQuery({
      ...ONE,
      name: 'limit',
      schema: { type: 'integer', minimum: 1, maximum: 200, default: 50 },
    }),
    ApiQuery({
      ...ONE,
      name: 'cursor',
      schema: TEXT,
      description: 'Where to go on: use the `next` of a page instead.',
    }),
    ApiResponse({
      status: 200,
      description: 'One page.',
      content: json(JOB_PAGE, {
        page: {
          results: [
            {
              id: EXAMPLE_JOB,
              topic: 'geostatistics',
              task: 'kriging',
              status: 'requested',
              progress: 0,
              labels: { project: 'meuse' },
              priority: 0,
              attempt: 0,
              created_at: '2026-01-31T12:00:00.000Z',
              waits_for: 'slot',
              estimate: { starts_in: 4.2, ends_in: 9.1 },
              links: {
                status: `${EXAMPLE_JOB_URL}/status`,
                result: EXAMPLE_JOB_URL,
                cancel: EXAMPLE_JOB_URL,
              },
            },
          ],
          next: null,
        },
      }),
    }),
  );

export const ApiJobSummary = () =>
  applyDecorators(
    ApiOperation({
      operationId: 'summarizeJobs',
      summary: 'How many jobs there are',
      description:
        'By status and by task. Counting stops at 10,000: `truncated` then. The filters of the list. Scope: `compute:read`.',
      tags: ['Jobs'],
    }),
    ApiOrganizationRead(),
    ApiJobFilter(),
    ApiJobTimes(),
    ApiResponse({
      status: 200,
      description: 'The counts.',
      content: json(JOB_SUMMARY, {
        counts: {
          total: 3,
          oldest_waiting_seconds: 12.5,
          by_status: { requested: 2, succeeded: 1 },
          by_task: [{ topic: 'geostatistics', task: 'kriging', count: 3 }],
          truncated: false,
        },
      }),
    }),
  );
