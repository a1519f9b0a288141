import { jobProblem } from '../jobs/job.problems.js';
import type { ClaimedJob } from '../jobs/lease.store.js';
import type { ProblemBody } from '../platform/http/problem.js';
import type { Runner, StopReason, TaskOutcome } from './attempt.js';
import type { CatalogueEntry } from './task.catalogue.js';

/** How an attempt ended: what the store is told. */
export type RunOutcome =
  | { readonly kind: 'succeeded'; readonly results: string; readonly message: string | null }
  | {
      readonly kind: 'failed';
      readonly problem: ProblemBody;
      readonly retryable: boolean;
      readonly stack?: string;
    }
  | { readonly kind: 'canceled' }
  /** Handed back: the worker shuts down, or could not renew its lease. */
  | { readonly kind: 'released' };

/** One attempt of one job in this process: it can be stopped, for a reason, and has one outcome. */
export class Run {
  readonly startedAt = performance.now();
  private readonly stopping = new AbortController();

  constructor(
    readonly job: ClaimedJob,
    private readonly entry: CatalogueEntry,
    private readonly runner: Runner,
    private readonly onProgress: (percent: number, message: string | null) => void,
  ) {}

  /** Tells the task to stop. Only the first reason counts. */
  stop(reason: StopReason): void {
    this.stopping.abort(reason);
  }

  /**
   * Runs the attempt to its end. Never rejects for what the task does.
   * @param parameters a JSON document, as text
   */
  async execute(parameters: string): Promise<RunOutcome> {
    if (this.stopping.signal.aborted) {
      return this.conclude({ kind: 'stopped' });
    }
    const { timeoutSeconds } = this.entry.task;
    const deadline = setTimeout(() => this.stop('timed out'), timeoutSeconds * 1_000);
    try {
      const outcome = await this.runner.run({
        jobId: this.job.jobId,
        leaseId: this.job.leaseId,
        orgId: this.job.orgId,
        number: this.job.attempt,
        entry: this.entry,
        parameters,
        signal: this.stopping.signal,
        onProgress: this.onProgress,
      });
      return this.conclude(outcome);
    } finally {
      clearTimeout(deadline);
    }
  }

  private conclude(outcome: TaskOutcome): RunOutcome {
    if (outcome.kind === 'postponed') {
      return {
        kind: 'failed',
        retryable: true,
        problem: jobProblem('task-failed', 'The task asked to be run again later.'),
      };
    }
    if (outcome.kind !== 'stopped') {
      return outcome;
    }
    const reason = this.stopping.signal.reason as StopReason;
    switch (reason) {
      case 'canceled':
        return { kind: 'canceled' };
      case 'timed out':
        return {
          kind: 'failed',
          retryable: true,
          problem: jobProblem(
            'task-timeout',
            `The task ran for longer than its limit of ${this.entry.task.timeoutSeconds} seconds: ask for less at once.`,
          ),
        };
      case 'shutting down':
      case 'lease lost':
        return { kind: 'released' };
      default:
        return reason satisfies never;
    }
  }
}
