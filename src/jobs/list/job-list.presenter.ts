import type { FastifyRequest } from 'fastify';
import type { BodyOf } from '../../platform/http/openapi/body.js';
import { wireStatus } from '../job/job-links.js';
import { isFinal } from '../job/job-status.js';
import type { Outlook } from '../outlook/outlook.js';
import { presentOutlook } from '../outlook/outlook.presenter.js';
import type { LISTED_JOB } from './job-list.schema.js';
import type { ListedJob } from './job-list.store.js';

/** @param url of the job, absolute */
export function presentListed(
  job: ListedJob,
  outlook: Outlook,
  url: string,
  request: Pick<FastifyRequest, 'headers'>,
): BodyOf<typeof LISTED_JOB> {
  const { message, startedAt, endedAt, error } = job;
  return {
    id: job.id,
    topic: job.topic,
    task: job.task,
    status: wireStatus(job.status, request),
    progress: job.progress,
    ...(message !== null && { message }),
    labels: job.labels ?? {},
    priority: job.priority,
    attempt: job.attempt,
    created_at: job.createdAt.toISOString(),
    ...(startedAt !== null && { started_at: startedAt.toISOString() }),
    ...(endedAt !== null && { ended_at: endedAt.toISOString() }),
    ...presentOutlook(outlook),
    ...(error !== null && { error }),
    links: {
      status: `${url}/status`,
      result: url,
      ...(!isFinal(job.status) && { cancel: url }),
    },
  };
}
