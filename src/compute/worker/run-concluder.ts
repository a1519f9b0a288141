import { Injectable, Logger } from '@nestjs/common';
import { ChangeFeed } from '../../jobs/feed/change-feed.js';
import { describeJob } from '../../jobs/job/log-fields.js';
import { jobProblem } from '../../jobs/job/job-problems.js';
import { JobSignals } from '../../jobs/job/job-signals.js';
import type { JobStatus } from '../../jobs/job/job-status.js';
import type { TransitionName } from '../../jobs/job/job-transitions.js';
import { type AttemptOutcomeName, JobMetrics } from '../../jobs/metrics/job-metrics.js';
import { type ClaimedJob, type Lease, LeaseStore } from '../../jobs/lease/lease.store.js';
import { outlastFrom } from '../../platform/database/outlast.js';
import type { FinalOutcome } from '../../jobs/lease/attempt-outcome.js';
import { cutText } from '../../platform/text/cut-text.js';

const TRANSITION = {
  succeeded: 'succeed',
  postponed: 'postpone',
  failed: 'fail',
  canceled: 'endCanceled',
  released: 'release',
} as const satisfies Record<FinalOutcome['kind'], TransitionName>;

/** Characters of a task's stack in the log: its message is as long as the task made it. */
const MAX_STACK = 8_192;

/** Writes what became of an attempt through the fence, and tells it in one line of the log. */
@Injectable()
export class RunConcluder {
  private readonly logger = new Logger('RunConcluder');

  constructor(
    private readonly leases: LeaseStore,
    private readonly signals: JobSignals,
    private readonly feed: ChangeFeed,
    private readonly metrics: JobMetrics,
  ) {}

  /**
   * Outlasts an absent database. Never rejects: what cannot be written is released, and what cannot
   * be released either is reaped once this worker is gone.
   * @param ms how long the attempt took
   */
  conclude(job: ClaimedJob, outcome: FinalOutcome, ms: number, giveUp: AbortSignal): Promise<void> {
    return this.write(job, outcome).then(
      (to) => this.tell(job, outcome, to, ms),
      (error: unknown) => this.concludeLater(job, outcome, ms, giveUp, error),
    );
  }

  /** @param failure of the first try */
  private async concludeLater(
    job: ClaimedJob,
    outcome: FinalOutcome,
    ms: number,
    giveUp: AbortSignal,
    failure: unknown,
  ): Promise<void> {
    const warn = (error: unknown) =>
      this.logger.warn({ err: error, ...describeJob(job) }, 'an outcome waits for the database');
    try {
      const to = await outlastFrom(failure, () => this.write(job, outcome), giveUp, warn);
      this.tell(job, outcome, to, ms);
    } catch (error) {
      this.logger.error({ err: error, ...describeJob(job) }, 'an outcome could not be stored');
      // Whatever went wrong, the job must not stay running forever.
      const instead = outcome.kind === 'succeeded' ? UNSTORABLE : RELEASED;
      await this.write(job, instead).then(
        (to) => this.tell(job, instead, to, ms),
        () => undefined,
      );
    }
  }

  private write({ jobId, leaseId }: Lease, outcome: FinalOutcome): Promise<JobStatus | null> {
    const lease = { jobId, leaseId };
    switch (outcome.kind) {
      case 'succeeded': {
        const { results, message } = outcome;
        return this.leases.succeed({ jobId, leaseId, results, message });
      }
      case 'postponed':
        return this.leases.postpone({ ...lease, ...outcome });
      case 'failed':
        return this.leases.fail({ ...lease, ...outcome });
      case 'canceled':
        return this.leases.endCanceled(lease);
      case 'released':
        return this.leases.release(lease);
      default:
        return outcome satisfies never;
    }
  }

  /** @param to null when the lease had passed on, and nothing was written */
  private tell(job: ClaimedJob, outcome: FinalOutcome, to: JobStatus | null, ms: number): void {
    const failed = outcome.kind === 'failed' ? outcome : null;
    // A task's own 4xx says that the client asked for the impossible: nothing for the operator.
    const level = failed !== null && failed.problem.status >= 500 ? 'warn' : 'log';
    this.logger[level](
      () => ({
        ...describeJob(job),
        transition: TRANSITION[outcome.kind],
        from: to === 'canceled' ? 'canceling' : 'in progress',
        to: to ?? 'lease lost: nothing written',
        ms: Math.round(ms),
        ...(failed !== null && { problem: failed.problem.type }),
        ...(failed?.stack !== undefined && { stack: cutText(failed.stack, MAX_STACK) }),
      }),
      'job',
    );
    this.feed.tell(job);
    this.metrics.noteAttempt(job, counted(outcome, to), to, ms);
    if (to === 'requested') {
      this.signals.announceWork();
    }
  }
}

/** What became of the attempt in the end, whatever the runner said. */
function counted({ kind }: FinalOutcome, to: JobStatus | null): AttemptOutcomeName {
  if (to === null) {
    return 'lease_lost';
  }
  if (to === 'canceled') {
    return 'canceled';
  }
  return kind === 'failed' && to === 'requested' ? 'retried' : kind;
}

const RELEASED: FinalOutcome = { kind: 'released' };

const UNSTORABLE: FinalOutcome = {
  kind: 'failed',
  retryable: false,
  problem: jobProblem('invalid-results', 'The results of the task could not be stored.'),
};
