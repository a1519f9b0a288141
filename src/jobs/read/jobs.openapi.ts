import { applyDecorators } from '@nestjs/common';
import { ApiHeader, ApiOperation, ApiParam, ApiResponse } from '@nestjs/swagger';
import type { SchemaObject } from '../../platform/http/problem/openapi-types.js';
import { ApiProblems } from '../../platform/http/problem/problem.openapi.js';
import { EXAMPLE_ORGANIZATION } from '../job/example-organization.js';
import { JOB_CANCELED } from '../job/job-problems.js';
import { FINAL_STATUSES, JOB_STATUSES } from '../job/job-status.js';

export const EXAMPLE_JOB = '019a0b5c-7d2e-7f31-8a44-5b6c7d8e9f00';
export const JOB_URL = `https://headframe.example/compute/orgs/${EXAMPLE_ORGANIZATION}/geostatistics/kriging/${EXAMPLE_JOB}`;

export const link = (description: string): SchemaObject => ({
  type: 'string',
  format: 'uri',
  description,
});

/** Bodies of the job routes. */
export const JOB_SCHEMAS: Record<string, SchemaObject> = {
  JobStatus: {
    type: 'object',
    required: ['status', 'progress', 'links'],
    properties: {
      status: {
        type: 'string',
        enum: [...JOB_STATUSES],
        description:
          'Clients that send `Evo-SDK-Source` are sent `cancelling` and `cancelled` instead.',
      },
      progress: {
        type: 'integer',
        minimum: 0,
        maximum: 100,
        description: 'Percent; never falls within one attempt.',
      },
      message: { type: 'string', description: 'What the task says of its progress.' },
      error: { $ref: '#/components/schemas/Problem' },
      links: {
        type: 'object',
        properties: {
          cancel: link('While the job is ongoing: DELETE this to cancel it.'),
          result: link('Once it has ended: GET this for its results or error.'),
        },
      },
    },
  },
  JobOngoing: {
    type: 'object',
    required: ['status', 'links'],
    properties: {
      status: { type: 'string', enum: ['requested', 'in progress', 'canceling'] },
      links: {
        type: 'object',
        required: ['cancel', 'status'],
        properties: { cancel: link('DELETE this to cancel the job.'), status: link('Poll this.') },
      },
    },
  },
  JobResults: {
    type: 'object',
    required: ['status'],
    properties: {
      status: { type: 'string', enum: [...FINAL_STATUSES] },
      results: { type: 'object', description: 'Of a succeeded job.', additionalProperties: true },
      error: { $ref: '#/components/schemas/Problem' },
    },
  },
};

export const json = (schema: string, examples: Record<string, object>) => ({
  'application/json': {
    schema: { $ref: `#/components/schemas/${schema}` },
    examples: Object.fromEntries(
      Object.entries(examples).map(([name, value]) => [name, { value }]),
    ),
  },
});

const RETRY_AFTER = {
  'Retry-After': { description: 'Seconds to wait.', schema: { type: 'integer' as const } },
};

const ONGOING = {
  status: 'in progress',
  progress: 40,
  message: 'Estimated 1241 of 3103 points',
  links: { cancel: JOB_URL },
};
export const FAILED_ERROR = {
  status: 500,
  type: 'urn:headframe:problem/task-failed',
  title: 'The task failed.',
  detail: 'The task failed unexpectedly: the log of the worker says why.',
};

/** Parameters that all routes of one job share. */
export const ApiJob = () =>
  applyDecorators(
    ApiOrganization(),
    ApiParam({
      name: 'topic',
      description: 'The compute topic.',
      schema: { type: 'string', pattern: '^[a-z0-9][a-z0-9-]{0,62}$', example: 'geostatistics' },
    }),
    ApiParam({
      name: 'task',
      description: 'The compute task.',
      schema: { type: 'string', pattern: '^[a-z0-9][a-z0-9-]{0,62}$', example: 'kriging' },
    }),
    ApiParam({
      name: 'job_id',
      description: 'The job: the last but one part of the `Location` that execute answered.',
      schema: { type: 'string', format: 'uuid' },
    }),
    ApiHeader({
      name: 'Evo-SDK-Source',
      required: false,
      description: 'Sent by Evo SDK clients, `<package>@v<version>`: spells the status as they do.',
      schema: { type: 'string' },
    }),
    ApiProblems(
      'unauthorized',
      'forbidden',
      'not-found',
      'not-acceptable',
      'too-many-requests',
      'internal-error',
      'unavailable',
    ),
  );

export const ApiOrganization = () =>
  ApiParam({
    name: 'org_id',
    description: 'The organization; the token must grant it.',
    schema: { type: 'string', format: 'uuid', example: EXAMPLE_ORGANIZATION },
  });

/** What routes share that read something of a whole organization. */
export const ApiOrganizationRead = () =>
  applyDecorators(
    ApiOrganization(),
    ApiProblems(
      'malformed-request',
      'unauthorized',
      'forbidden',
      'not-acceptable',
      'too-many-requests',
      'internal-error',
      'unavailable',
    ),
  );

export const ApiStatus = () =>
  applyDecorators(
    ApiOperation({
      operationId: 'getJobStatus',
      summary: "A job's status, progress, message and error",
      description: 'Poll this until it answers 200. Scope: `compute:read`.',
      tags: ['Jobs'],
    }),
    ApiJob(),
    ApiResponse({
      status: 200,
      description: 'The job has ended.',
      content: json('JobStatus', {
        succeeded: {
          status: 'succeeded',
          progress: 100,
          message: 'Estimated 3103 points',
          links: { result: JOB_URL },
        },
        failed: { status: 'failed', progress: 40, error: FAILED_ERROR, links: { result: JOB_URL } },
        canceled: {
          status: 'canceled',
          progress: 40,
          error: JOB_CANCELED,
          links: { result: JOB_URL },
        },
      }),
    }),
    ApiResponse({
      status: 202,
      description: 'The job is ongoing.',
      headers: RETRY_AFTER,
      content: json('JobStatus', {
        requested: { status: 'requested', progress: 0, links: { cancel: JOB_URL } },
        'in progress': ONGOING,
        canceling: { ...ONGOING, status: 'canceling' },
      }),
    }),
  );

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
    ApiResponse({
      status: 200,
      description: 'The job has ended.',
      content: json('JobResults', {
        succeeded: { status: 'succeeded', results: { message: 'Slept 2 seconds', seconds: 2 } },
        failed: { status: 'failed', error: FAILED_ERROR },
        canceled: { status: 'canceled', error: JOB_CANCELED },
      }),
    }),
    ApiResponse({
      status: 202,
      description: 'The job is ongoing.',
      headers: RETRY_AFTER,
      content: json('JobOngoing', {
        'in progress': {
          status: 'in progress',
          links: { cancel: JOB_URL, status: `${JOB_URL}/status` },
        },
      }),
    }),
  );

export const ApiCancel = () =>
  applyDecorators(
    ApiOperation({
      operationId: 'cancelJob',
      summary: 'Cancel a job',
      description:
        'An unstarted job ends at once; the work of a running one is stopped, wherever it runs. Of an ended job nothing changes. Repeatable. Scope: `compute:execute`.',
      tags: ['Jobs'],
    }),
    ApiJob(),
    ApiResponse({ status: 204, description: 'The job is canceled, being canceled, or had ended.' }),
  );
