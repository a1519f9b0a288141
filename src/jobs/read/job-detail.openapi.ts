import { applyDecorators } from '@nestjs/common';
import { ApiOperation, ApiResponse } from '@nestjs/swagger';
import type { SchemaObject } from '../../platform/http/problem/openapi-types.js';
import { JOB_STATUSES } from '../job/job-status.js';
import { ApiJob, EXAMPLE_JOB, FAILED_ERROR, JOB_URL, json, link } from './jobs.openapi.js';

const moment = (description: string): SchemaObject => ({
  type: 'string',
  format: 'date-time',
  description,
});
const momentOrNull = (description: string): SchemaObject => ({
  type: ['string', 'null'],
  format: 'date-time',
  description,
});
const count = (description: string): SchemaObject => ({ type: 'integer', description });

/** Bodies of the detail route. */
export const JOB_DETAIL_SCHEMAS: Record<string, SchemaObject> = {
  JobAttempt: {
    type: 'object',
    required: ['attempt', 'started_at', 'ended_at', 'outcome', 'worker'],
    properties: {
      attempt: count('1 for the first start of the job.'),
      started_at: moment('When a worker took it.'),
      ended_at: momentOrNull('Null while it runs.'),
      outcome: {
        type: ['string', 'null'],
        enum: ['succeeded', 'failed', 'canceled', 'retry later', 'released', 'lost', null],
        description:
          '`lost`: its worker was lost; `released`: its worker shut down; null: it still runs.',
      },
      worker: { type: 'string', format: 'uuid', description: 'The worker that ran it.' },
      problem: { $ref: '#/components/schemas/Problem' },
    },
  },
  JobDetail: {
    type: 'object',
    required: ['id', 'topic', 'task', 'status', 'progress', 'labels', 'attempts', 'links'],
    properties: {
      id: { type: 'string', format: 'uuid' },
      topic: { type: 'string' },
      task: { type: 'string' },
      status: { type: 'string', enum: [...JOB_STATUSES] },
      progress: { type: 'integer', minimum: 0, maximum: 100 },
      message: { type: 'string' },
      error: { $ref: '#/components/schemas/Problem' },
      labels: { type: 'object', additionalProperties: { type: 'string' } },
      priority: count('-100 to 100.'),
      attempt: count('How often the job was started.'),
      max_attempts: count('How many attempts may fail before the job does.'),
      failures: count('Attempts that failed.'),
      crashes: count('Attempts whose worker was lost; the third fails the job.'),
      timeout: {
        type: ['integer', 'null'],
        description: "Seconds an attempt may run; null: the task's own limit.",
      },
      run_after: momentOrNull('It is not started before; null: it may start.'),
      expires_at: momentOrNull('It fails if nobody has started it by then.'),
      created_at: moment('When it was submitted.'),
      started_at: momentOrNull('When its last attempt started.'),
      ended_at: momentOrNull('When it ended.'),
      attempts: {
        type: 'array',
        items: { $ref: '#/components/schemas/JobAttempt' },
        description: 'The latest hundred, oldest first.',
      },
      links: {
        type: 'object',
        required: ['status'],
        properties: {
          status: link('Poll this.'),
          cancel: link('While the job is ongoing: DELETE this to cancel it.'),
          result: link('Once it has ended: GET this for its results or error.'),
        },
      },
    },
  },
};

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
      content: json('JobDetail', {
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
          attempts: [
            {
              attempt: 1,
              started_at: '2026-01-31T12:00:01.000Z',
              ended_at: '2026-01-31T12:00:08.000Z',
              outcome: 'failed',
              worker: '019a0b5c-0000-7000-8000-000000000001',
              problem: FAILED_ERROR,
            },
            {
              attempt: 2,
              started_at: '2026-01-31T12:00:09.000Z',
              ended_at: null,
              outcome: null,
              worker: '019a0b5c-0000-7000-8000-000000000001',
            },
          ],
          links: { status: `${JOB_URL}/status`, cancel: JOB_URL },
        },
      }),
    }),
  );
