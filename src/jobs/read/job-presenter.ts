import { serviceUrl } from '../../platform/http/service-url.js';
import type { FastifyRequest } from 'fastify';
import type { Config } from '../../platform/config.js';
import type { AttemptRecord, JobDetail } from './job-detail.store.js';
import type { JobKey } from '../job/job.js';
import type { JobState } from './job-state.store.js';
import { isFinal, type JobStatus } from '../job/job-status.js';

/** The body of `GET …/{job_id}/status`. */
export interface StatusBody {
  readonly status: string;
  readonly progress: number;
  readonly message?: string;
  readonly error?: JobState['error'];
  readonly links: { readonly cancel: string } | { readonly result: string };
}

/** Header in which the public Python client names itself. */
export const SDK_HEADER = 'evo-sdk-source';

/**
 * The wire words of a job: statuses and links. The only place that knows of the doubled l: the public
 * Python client parses `cancelling` and `cancelled` alone, everybody else is sent the contract's
 * spelling.
 */
export function wireStatus(status: JobStatus, request: Pick<FastifyRequest, 'headers'>): string {
  return SDK_HEADER in request.headers && /^cancel(ing|ed)$/.test(status)
    ? status.replace('cancel', 'cancell')
    : status;
}

/** The path of a job below the service's root. */
const jobPath = (key: JobKey): string =>
  `/compute/orgs/${key.orgId}/${key.topic}/${key.task}/${key.jobId}`;

/**
 * What execute answers as `Location`: the path of the job's status. The public Python client joins
 * that path to its base address and would repeat a prefix, so with one it is sent the whole address.
 */
export function statusLocation(
  key: JobKey,
  request: Pick<FastifyRequest, 'headers' | 'protocol' | 'host'>,
  config: Pick<Config, 'PUBLIC_URL'>,
): string {
  // The configured prefix, so that the path is right behind any proxy.
  const prefix =
    config.PUBLIC_URL === undefined ? '' : new URL(config.PUBLIC_URL).pathname.replace(/\/$/, '');
  const job =
    prefix !== '' && SDK_HEADER in request.headers
      ? jobUrl(key, request, config)
      : prefix + jobPath(key);
  return `${job}/status`;
}

/** The absolute address of a job. */
export const jobUrl = (
  key: JobKey,
  request: Pick<FastifyRequest, 'protocol' | 'host'>,
  config: Pick<Config, 'PUBLIC_URL'>,
): string => serviceUrl(request, config) + jobPath(key);

/** @param url of the job, absolute */
export function presentStatus(
  state: JobState,
  url: string,
  request: Pick<FastifyRequest, 'headers'>,
): StatusBody {
  return {
    status: wireStatus(state.status, request),
    progress: state.progress,
    ...(state.message !== null && { message: state.message }),
    ...(state.error !== null && { error: state.error }),
    links: isFinal(state.status) ? { result: url } : { cancel: url },
  };
}

/**
 * The body of `GET …/{job_id}/detail`.
 * @param url of the job, absolute
 */
export function presentDetail(
  detail: JobDetail,
  url: string,
  request: Pick<FastifyRequest, 'headers'>,
) {
  const { status, message, error } = detail;
  return {
    id: detail.jobId,
    topic: detail.topic,
    task: detail.task,
    status: wireStatus(status, request),
    progress: detail.progress,
    ...(message !== null && { message }),
    ...(error !== null && { error }),
    labels: detail.labels,
    priority: detail.priority,
    attempt: detail.attempt,
    max_attempts: detail.maxAttempts,
    failures: detail.failures,
    crashes: detail.crashes,
    timeout: detail.timeoutSeconds,
    run_after: detail.runAfter,
    expires_at: detail.expiresAt,
    created_at: detail.createdAt,
    started_at: detail.startedAt,
    ended_at: detail.endedAt,
    attempts: detail.attempts.map((attempt) => presentAttempt(attempt, request)),
    links: {
      status: `${url}/status`,
      ...(isFinal(status) ? { result: url } : { cancel: url }),
    },
  };
}

const presentAttempt = (record: AttemptRecord, request: Pick<FastifyRequest, 'headers'>) => ({
  attempt: record.attempt,
  started_at: record.startedAt,
  ended_at: record.endedAt,
  outcome: record.outcome === 'canceled' ? wireStatus('canceled', request) : record.outcome,
  worker: record.workerId,
  ...(record.problem !== null && { problem: record.problem }),
});
