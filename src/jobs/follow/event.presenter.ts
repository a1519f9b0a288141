import type { FastifyRequest } from 'fastify';
import type { BodyOf } from '../../platform/http/openapi/body.js';
import { presentStatus } from '../read/status.presenter.js';
import type { JobSnapshot } from '../read/watch/job-snapshot.store.js';
import type { JOB_EVENT, ORGANIZATION_EVENT } from './event.schema.js';

/** @param url of the job, absolute */
export const presentJobEvent = (
  job: JobSnapshot,
  url: string,
  request: Pick<FastifyRequest, 'headers'>,
): BodyOf<typeof JOB_EVENT> => ({ id: job.jobId, ...presentStatus(job, url, request) });

/** @param url of the job, absolute */
export const presentOrganizationEvent = (
  job: JobSnapshot,
  url: string,
  request: Pick<FastifyRequest, 'headers'>,
): BodyOf<typeof ORGANIZATION_EVENT> => ({
  ...presentJobEvent(job, url, request),
  topic: job.topic,
  task: job.task,
  labels: job.labels,
  attempt: job.attempt,
  created_at: job.createdAt.toISOString(),
  ...(job.startedAt !== null && { started_at: job.startedAt.toISOString() }),
  ...(job.endedAt !== null && { ended_at: job.endedAt.toISOString() }),
});
