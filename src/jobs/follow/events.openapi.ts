import { applyDecorators } from '@nestjs/common';
import { ApiHeader, ApiOperation, ApiResponse } from '@nestjs/swagger';
import type { BodyOf } from '../../platform/http/openapi/body.js';
import { ApiProblems } from '../../platform/http/problem/problem.openapi.js';
import { EXAMPLE_JOB, EXAMPLE_JOB_URL } from '../job/examples.js';
import { ApiJob, ApiOrganizationRead } from '../job/job.openapi.js';
import { ApiJobFilter } from '../list/job-list.openapi.js';
import type { JOB_EVENT, ORGANIZATION_EVENT } from './event.schema.js';

const RUNNING: BodyOf<typeof JOB_EVENT> = {
  id: EXAMPLE_JOB,
  status: 'in progress',
  progress: 40,
  message: 'Estimated 1241 of 3103 points',
  links: { cancel: EXAMPLE_JOB_URL },
};
const SUCCEEDED: BodyOf<typeof JOB_EVENT> = {
  id: EXAMPLE_JOB,
  status: 'succeeded',
  progress: 100,
  message: 'Estimated 3103 points',
  links: { result: EXAMPLE_JOB_URL },
};
const OF_ORGANIZATION: BodyOf<typeof ORGANIZATION_EVENT> = {
  ...SUCCEEDED,
  topic: 'geostatistics',
  task: 'kriging',
  labels: { project: 'meuse' },
  attempt: 1,
  created_at: '2026-01-31T12:00:00.000Z',
  started_at: '2026-01-31T12:00:00.012Z',
  ended_at: '2026-01-31T12:00:03.456Z',
};

const event = (id: string, name: string, data: object): string =>
  `id: ${id}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`;

const STATE = 'AZoLXH0ufzGKRFtsfY6fAA';
const PLACE = '1769860803456789.1';

const ApiStream = (description: string, example: string) =>
  ApiResponse({
    status: 200,
    description,
    content: {
      'text/event-stream': {
        schema: { type: 'string' },
        examples: { events: { value: `retry: 2000\n\n${example}` } },
      },
    },
  });

const ApiLastEventId = (description: string) =>
  ApiHeader({
    name: 'Last-Event-ID',
    required: false,
    description,
    schema: { type: 'string' },
  });

const ENDS =
  'A comment every 15 seconds; `event: expired` before the end when the token expires. A replica that stops ends its streams: come back with `Last-Event-ID`, to any replica.';

export const ApiJobEvents = () =>
  applyDecorators(
    ApiOperation({
      operationId: 'followJob',
      summary: 'Follow a job: its state now, and every change',
      description: `Server-sent events. The state at once, every later one in order; \`event: end\` behind the final one. ${ENDS} Counts as one poll. Scope: \`compute:read\`.`,
      tags: ['Jobs'],
    }),
    ApiJob(),
    ApiLastEventId(
      'The id of the last event that the client has: it is told what is newer. One that makes no sense counts as none.',
    ),
    ApiStream(
      'The data of `event: status` is a `JobEvent`: the status body, and the id of the job.',
      [
        event(`${STATE}.1.1.40.k3x9q2`, 'status', RUNNING),
        event(`${STATE}.1.4.100.1f0m7d`, 'status', SUCCEEDED),
        event(`${STATE}.1.4.100.1f0m7d`, 'end', {}),
      ].join(''),
    ),
    ApiResponse({
      status: 204,
      description: 'The client has the final state: there is nothing more to tell.',
    }),
    ApiProblems('malformed-request'),
  );

export const ApiOrganizationEvents = () =>
  applyDecorators(
    ApiOperation({
      operationId: 'followJobs',
      summary: "Follow an organization's jobs",
      description: `Server-sent events: changes of all jobs that the filter takes, from now on. \`event: reset\` says that changes may have been missed: list the jobs again. ${ENDS} Counts as one poll. Scope: \`compute:read\`.`,
      tags: ['Jobs'],
    }),
    ApiOrganizationRead(),
    ApiJobFilter(),
    ApiLastEventId(
      'The id of the last event that the client has: within a minute it goes on from there, and may be told a state again; later it is told to `reset`. One that makes no sense counts as none.',
    ),
    ApiStream(
      'The data of `event: status` is an `OrganizationEvent`.',
      [
        event(`${PLACE}.${STATE}.1.4.100.1f0m7d`, 'status', OF_ORGANIZATION),
        event(PLACE, 'reset', {}),
      ].join(''),
    ),
  );
