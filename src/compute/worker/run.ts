import { jobProblem } from '../../jobs/job/job-problems.js';
import type { AttemptOutcome, FinalOutcome } from '../../jobs/lease/attempt-outcome.js';
import type { ClaimedJob } from '../../jobs/lease/lease.store.js';
import type { Attempt, Runner, StopReason } from '../runners/attempt.js';
import type { CatalogueEntry } from '../catalogue/task-catalogue.js';

/**
 * One attempt of one job in this process, waiting for a slot or running: it can be stopped, for a
 * reason, and has one outcome.
 */
export class Run {
  /** On the monotonic clock, in milliseconds. */
  readonly claimedAt = performance.now();
  /** Most threads that its task has a use for. */
  readonly mostThreads: number;
  /** How many it may use now, where its thread can see it. */
  private readonly threads: Int32Array<SharedArrayBuffer> | null = null;
  private stopReason: StopReason | null = null;
  private stopping: AbortController | null = null;

  constructor(
    readonly job: ClaimedJob,
    private readonly entry: CatalogueEntry,
    private readonly runner: Runner,
    private readonly onProgress: (percent: number, message: string | null) => void,
  ) {
    const { task } = entry;
    this.mostThreads = task.runner === 'thread' ? (task.resources?.threads ?? 1) : 1;
    if (this.mostThreads > 1) {
      this.threads = new Int32Array(new SharedArrayBuffer(4)).fill(1);
    }
  }

  get stopped(): boolean {
    return this.stopReason !== null;
  }

  /** Tells the task how many threads it may use from now on; it may take a moment to let go of others. */
  mayUse(threads: number): void {
    if (this.threads !== null) {
      Atomics.store(this.threads, 0, Math.min(threads, this.mostThreads));
    }
  }

  /** Tells the task to stop. Only the first reason counts. */
  stop(reason: StopReason): void {
    this.stopReason ??= reason;
    this.stopping?.abort(this.stopReason);
  }

  /**
   * Runs the attempt to its end. Never rejects for what the task does.
   * @param parameters a JSON document, as text
   */
  async execute(parameters: string): Promise<FinalOutcome> {
    if (this.stopReason !== null) {
      return this.conclude({ kind: 'stopped' });
    }
    const deadline = setTimeout(() => this.stop('timed out'), this.timeoutSeconds * 1_000);
    try {
      return this.conclude(await this.runner.run(this.attempt(parameters)));
    } finally {
      clearTimeout(deadline);
    }
  }

  /** What becomes of an attempt that was stopped before it began. */
  outcomeUnstarted(): FinalOutcome {
    return this.conclude({ kind: 'stopped' });
  }

  /** The task's limit, or the client's if that is shorter. */
  private get timeoutSeconds(): number {
    const { timeoutSeconds } = this.entry.task;
    return Math.min(timeoutSeconds, this.job.timeoutSeconds ?? timeoutSeconds);
  }

  private attempt(parameters: string): Attempt {
    this.stopping = new AbortController();
    return {
      jobId: this.job.jobId,
      leaseId: this.job.leaseId,
      orgId: this.job.orgId,
      number: this.job.attempt,
      entry: this.entry,
      threads: this.threads,
      parameters,
      signal: this.stopping.signal,
      onProgress: this.onProgress,
    };
  }

  private conclude(outcome: AttemptOutcome): FinalOutcome {
    if (outcome.kind === 'failed') {
      const { backoff } = this.entry.task;
      return backoff === undefined ? outcome : { ...outcome, backoff };
    }
    if (outcome.kind !== 'stopped') {
      return outcome;
    }
    const reason = this.stopReason ?? 'shutting down';
    switch (reason) {
      case 'canceled':
        return { kind: 'canceled' };
      case 'timed out':
        return {
          kind: 'failed',
          retryable: true,
          problem: jobProblem(
            'task-timeout',
            `The task ran for longer than its limit of ${this.timeoutSeconds} seconds: ask for less at once.`,
          ),
        };
      case 'no free slot':
      case 'shutting down':
      case 'lease lost':
        return { kind: 'released' };
      default:
        return reason satisfies never;
    }
  }
}
