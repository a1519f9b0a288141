import { jobProblem } from '../../jobs/job/job-problems.js';
import type { AttemptOutcome, FinalOutcome } from '../../jobs/lease/attempt-outcome.js';
import type { ClaimedJob } from '../../jobs/lease/lease.store.js';
import type { Attempt, Runner, StopReason } from '../runners/attempt.js';
import type { RunningTrace } from '../runners/trace/attempt-traces.js';
import type { CatalogueEntry } from '../catalogue/task-catalogue.js';
import type { ProgressReporter } from './progress-reporter.js';

/**
 * One attempt of one job in this process, waiting for a slot or running: it can be stopped, for a
 * reason, and has one outcome.
 */
export class Run implements Attempt {
  /** On the monotonic clock, in milliseconds. */
  readonly claimedAt = performance.now();
  /** A JSON document, as text; set by {@link execute}. */
  parameters = '{}';
  /** Most threads that its task has a use for. */
  readonly mostThreads: number;
  /** How many it may use now, where its thread can see it. */
  readonly threads: Int32Array<SharedArrayBuffer> | null = null;
  /** When it was told to stop, as `claimedAt`; null: it was not. */
  stoppedAt: number | null = null;
  /** Set when it begins, where somebody traces. */
  trace: RunningTrace | null = null;
  private stopReason: StopReason | null = null;
  private stopping: AbortController | null = null;
  private listener: (() => void) | null = null;

  constructor(
    readonly job: ClaimedJob,
    readonly entry: CatalogueEntry,
    private readonly runner: Runner,
    private readonly progress: Pick<ProgressReporter, 'report'>,
  ) {
    const { task } = entry;
    this.mostThreads = task.runner === 'thread' ? (task.resources?.threads ?? 1) : 1;
    if (this.mostThreads > 1) {
      this.threads = new Int32Array(new SharedArrayBuffer(4)).fill(1);
    }
  }

  get jobId(): string {
    return this.job.jobId;
  }

  get leaseId(): string {
    return this.job.leaseId;
  }

  get orgId(): string {
    return this.job.orgId;
  }

  get number(): number {
    return this.job.attempt;
  }

  get signal(): AbortSignal {
    if (this.stopping === null) {
      this.stopping = new AbortController();
      if (this.stopReason !== null) {
        this.stopping.abort(this.stopReason);
      }
    }
    return this.stopping.signal;
  }

  onStop(listener: () => void): void {
    if (this.stopReason !== null) {
      listener();
    } else {
      this.listener = listener;
    }
  }

  onProgress(percent: number, message: string | null): void {
    this.progress.report(this.job, percent, message);
  }

  /** Tells the task how many threads it may use from now on; it may take a moment to let go of others. */
  mayUse(threads: number): void {
    if (this.threads !== null) {
      Atomics.store(this.threads, 0, Math.min(threads, this.mostThreads));
    }
  }

  /** Tells the task to stop. Only the first reason counts. */
  stop(reason: StopReason): void {
    if (this.stopReason === null) {
      this.stopReason = reason;
      this.stoppedAt = performance.now();
      this.stopping?.abort(reason);
      this.listener?.();
    }
  }

  /**
   * Runs the attempt to its end. Never rejects for what the task does.
   * @param parameters a JSON document, as text
   */
  execute(parameters: string): Promise<FinalOutcome> {
    if (this.stopReason !== null) {
      return Promise.resolve(this.outcomeUnstarted());
    }
    this.parameters = parameters;
    const deadline = setTimeout(timeOut, this.timeoutSeconds * 1_000, this);
    // Callbacks: an async function for each layer of a job of a microsecond is what it would cost.
    return this.runner.run(this).then(
      (outcome) => {
        clearTimeout(deadline);
        return this.conclude(outcome);
      },
      (error: unknown) => {
        clearTimeout(deadline);
        throw error;
      },
    );
  }

  /** What becomes of an attempt that was stopped before it began. */
  outcomeUnstarted(): FinalOutcome {
    return this.conclude({ kind: 'stopped' });
  }

  get isCanceled(): boolean {
    return this.stopReason === 'canceled';
  }

  /** The task's limit, or the client's if that is shorter. */
  private get timeoutSeconds(): number {
    const { timeoutSeconds } = this.entry.task;
    return Math.min(timeoutSeconds, this.job.timeoutSeconds ?? timeoutSeconds);
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

const timeOut = (run: Run): void => run.stop('timed out');
