import type { FastifyRequest } from 'fastify';
import type { BodyOf } from '../../platform/http/openapi/body.js';
import { wireStatus } from '../job/job-links.js';
import { presentStatus } from '../read/status.presenter.js';
import type { JobSnapshot } from '../read/watch/job-snapshot.store.js';
import type { JOB_EVENT, ORGANIZATION_EVENT } from './event.schema.js';

/** @param url of the job, absolute */
export const presentJobEvent = (
  job: JobSnapshot,
  url: string,
  request: Pick<FastifyRequest, 'headers'>,
): BodyOf<typeof JOB_EVENT> => ({ id: job.jobId, ...presentStatus(job, url, request) });

/** By the addresses and spellings in which it was asked for. */
const texts = new WeakMap<JobSnapshot, Map<string, string>>();

/**
 * The data of an event of an organization, as text: written once for all of its streams that read the same.
 * @param url of the job, absolute
 */
export function organizationEventText(
  job: JobSnapshot,
  url: string,
  request: Pick<FastifyRequest, 'headers'>,
): string {
  const known = texts.get(job) ?? new Map<string, string>();
  texts.set(job, known);
  const reading = `${url} ${wireStatus(job.status, request)}`;
  const text = known.get(reading) ?? JSON.stringify(presentOrganizationEvent(job, url, request));
  known.set(reading, text);
  return text;
}

/** @param url of the job, absolute */
const presentOrganizationEvent = (
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
