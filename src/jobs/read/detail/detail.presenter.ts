import type { FastifyRequest } from 'fastify';
import type { BodyOf } from '../../../platform/http/openapi/body.js';
import { wireStatus } from '../../job/job-links.js';
import type { Outlook } from '../../outlook/outlook.js';
import { presentOutlook } from '../../outlook/outlook.presenter.js';
import { isFinal } from '../../job/job-status.js';
import type { JOB_ATTEMPT, JOB_DETAIL } from './detail.schema.js';
import type { AttemptRecord, JobDetail } from './detail.store.js';

/** @param url of the job, absolute */
export function presentDetail(
  detail: JobDetail,
  outlook: Outlook,
  url: string,
  request: Pick<FastifyRequest, 'headers'>,
): BodyOf<typeof JOB_DETAIL> {
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
    run_after: momentOrNull(detail.runAfter),
    expires_at: momentOrNull(detail.expiresAt),
    created_at: detail.createdAt.toISOString(),
    started_at: momentOrNull(detail.startedAt),
    ended_at: momentOrNull(detail.endedAt),
    ...presentOutlook(outlook),
    waited_seconds: waitedSeconds(detail),
    run_seconds: runSeconds(detail),
    parameters_sha256: detail.parametersDigest,
    task_version: detail.attempts.at(-1)?.program?.taskVersion ?? null,
    program_version: detail.attempts.at(-1)?.program?.version ?? null,
    attempts: detail.attempts.map((attempt) => presentAttempt(attempt, request)),
    links: {
      status: `${url}/status`,
      ...(isFinal(status) ? { result: url } : { cancel: url }),
    },
  };
}

const presentAttempt = (
  record: AttemptRecord,
  request: Pick<FastifyRequest, 'headers'>,
): BodyOf<typeof JOB_ATTEMPT> => ({
  attempt: record.attempt,
  started_at: record.startedAt.toISOString(),
  ended_at: momentOrNull(record.endedAt),
  outcome: record.outcome === 'canceled' ? wireStatus('canceled', request) : record.outcome,
  worker: record.workerId,
  program_version: record.program?.version ?? null,
  task_version: record.program?.taskVersion ?? null,
  ...(record.problem !== null && { problem: record.problem }),
});

/** The first start is unknown of a job with more attempts than are listed: it waited until then at most. */
const waitedSeconds = ({ attempts, createdAt, endedAt, now }: JobDetail): number =>
  secondsBetween(createdAt, attempts[0]?.startedAt ?? endedAt ?? now);

const runSeconds = ({ attempts, now }: JobDetail): number =>
  attempts.reduce(
    (sum, { startedAt, endedAt }) => sum + secondsBetween(startedAt, endedAt ?? now),
    0,
  );

/** To the millisecond; never negative, whatever the clocks of two servers said. */
const secondsBetween = (from: Date, to: Date): number =>
  Math.max(0, to.getTime() - from.getTime()) / 1_000;

const momentOrNull = (moment: Date | null): string | null => moment?.toISOString() ?? null;
