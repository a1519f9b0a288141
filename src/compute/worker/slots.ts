import { EventEmitter } from 'node:events';
import { availableParallelism } from 'node:os';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { ClaimStore } from '../../jobs/lease/claim.store.js';
import { ChangeFeed } from '../../jobs/feed/change-feed.js';
import { describeJob } from '../../jobs/job/log-fields.js';
import { jobProblem } from '../../jobs/job/job-problems.js';
import { MAX_CRASHES } from '../../jobs/job/job-transitions.js';
import type { FinalOutcome } from '../../jobs/lease/attempt-outcome.js';
import { type ClaimedJob, type Lease, LeaseStore } from '../../jobs/lease/lease.store.js';
import { JobMetrics } from '../../jobs/metrics/job-metrics.js';
import { CONFIG, type Config } from '../../platform/config.js';
import { mayPass } from '../../platform/database/database-errors.js';
import { outlast } from '../../platform/database/outlast.js';
import type { Runner, StopReason } from '../runners/attempt.js';
import { FairQueue } from './fair-queue.js';
import { threadsOfEach } from './idle-threads.js';
import { Prefetch } from './prefetch.js';
import { ProgressReporter } from './progress-reporter.js';
import { RunConcluder } from './run-concluder.js';
import { Run } from './run.js';
import type { SlotFigures } from './worker-metrics.js';
import { InlineRunner } from '../runners/inline/inline.runner.js';
import { ProcessRunner } from '../runners/process/process.runner.js';
import { AttemptTraces } from '../runners/trace/attempt-traces.js';
import { ThreadRunner } from '../runners/thread/thread.runner.js';
import { type CatalogueEntry, TASK_CATALOGUE, TaskCatalogue } from '../catalogue/task-catalogue.js';

interface Events {
  /** A job could be claimed. */
  room: [];
}

/** A job that was claimed ahead and has waited this long for a slot is handed back to the others. */
const STALE_MS = 1_000;
/** Outcomes that are still being written; beyond them a slot stays taken until its outcome is. */
const MAX_UNWRITTEN = 500;
/** Results beyond this many characters keep their slot until they are written: memory is finite. */
const SMALL_RESULTS = 65_536;
/** More threads than these would only wait for one another. */
const PROCESSORS = availableParallelism();
/** After the drain's deadline: how long the last outcomes may wait for an absent database. */
const LAST_WRITES_MS = 5_000;

/**
 * The attempts that this process holds: those that run, one a slot, and those that wait for one. From
 * {@link take} on, each is seen to its end here: run, stopped, or handed back.
 */
@Injectable()
export class Slots extends EventEmitter<Events> {
  private readonly logger = new Logger('Slots');
  private readonly held = new Map<string, Run>();
  private readonly waiting = new FairQueue<Run>();
  private readonly prefetch: Prefetch;
  private readonly runners: Record<'thread' | 'inline' | 'process', Runner>;
  /** Those that run and have a use for more than one thread. */
  private readonly wide = new Set<Run>();
  private taken = 0;
  /** Free slots that are kept for jobs that are being stored as started. */
  private reserved = 0;
  private idle: (() => void) | null = null;
  /** Aborts when a shutdown cannot wait for the database any longer. */
  private readonly giveUp = new AbortController();

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(TASK_CATALOGUE) private readonly catalogue: TaskCatalogue,
    private readonly claims: ClaimStore,
    private readonly progress: ProgressReporter,
    private readonly concluder: RunConcluder,
    private readonly leases: LeaseStore,
    private readonly feed: ChangeFeed,
    private readonly metrics: JobMetrics,
    private readonly traces: AttemptTraces,
    threads: ThreadRunner,
    inline: InlineRunner,
    processes: ProcessRunner,
  ) {
    super();
    this.prefetch = new Prefetch(config.WORKER_SLOTS);
    this.runners = { thread: threads, inline, process: processes };
    progress.on('cancel', (leaseId) => this.stop(this.held.get(leaseId), 'canceled'));
    progress.on('lost', (leaseId) => this.stop(this.held.get(leaseId), 'lease lost'));
  }

  /** What they do, for the metrics. */
  get figures(): SlotFigures {
    return {
      slots: this.config.WORKER_SLOTS,
      busy: this.taken,
      ahead: this.waiting.size,
      unwritten: Math.max(0, this.held.size - this.waiting.size - this.taken),
    };
  }

  /** How many jobs to claim now; 0 while enough wait. */
  get room(): number {
    const free = this.config.WORKER_SLOTS - this.taken - this.reserved;
    const { ahead } = this.prefetch;
    const wanted = free + ahead - this.waiting.size;
    // Claims are cheaper by the dozen: what was claimed ahead is used up by half first.
    return free > this.waiting.size || wanted > ahead / 2 ? Math.max(0, wanted) : 0;
  }

  /**
   * How many jobs may be claimed that one more crash would fail: one at a time. A job that kills its
   * worker takes all that the worker holds for a crash; so it does not take them for their last.
   */
  get lastChances(): number {
    for (const { job } of this.held.values()) {
      if (job.crashes >= MAX_CRASHES - 1) {
        return 0;
      }
    }
    return 1;
  }

  /**
   * Sees a claimed job to its end: starts it, or lets it wait for a slot.
   * @param stopped why it must not start at all; it is handed back then
   */
  take(job: ClaimedJob, stopped: StopReason | null = null): void {
    const entry = this.catalogue.find(job.topic, job.task) as CatalogueEntry;
    const run = new Run(job, entry, this.runners[entry.task.runner], this.progress);
    if (stopped !== null) {
      run.stop(stopped);
    }
    this.held.set(job.leaseId, run);
    this.logger.log(
      () => ({
        ...describeJob(job),
        transition: 'claim',
        from: 'requested',
        to: 'in progress',
        ms: job.waitedMs,
      }),
      'job',
    );
    this.feed.tell(job);
    this.metrics.noteStart(job);
    this.waiting.push(job.orgId, run);
    this.fill();
  }

  /** Keeps a free slot for a job that is about to come. @returns false when there is none */
  reserve(): boolean {
    const free = this.config.WORKER_SLOTS - this.taken - this.reserved - this.waiting.size;
    if (free <= 0) {
      return false;
    }
    this.reserved += 1;
    return true;
  }

  /** Takes back {@link reserve}: when the job was taken, or does not come. What waits may have the slot. */
  unreserve(): void {
    this.reserved -= 1;
    this.fill();
  }

  /** Hands a job back that this process may hold without knowing it. */
  async handBack({ jobId, leaseId }: Lease): Promise<void> {
    await outlast(
      () => this.leases.release({ jobId, leaseId }),
      this.giveUp.signal,
      (error) => this.logger.warn({ err: error, job: jobId }, 'waits for the database'),
    ).catch((error: unknown) => {
      this.logger.warn({ err: error, job: jobId }, 'could not hand back a job that may be held');
    });
  }

  stopWhere(matches: (job: ClaimedJob) => boolean, reason: StopReason): void {
    for (const run of this.held.values()) {
      if (matches(run.job)) {
        this.stop(run, reason);
      }
    }
  }

  /** Hands back what was claimed ahead and finds no slot after all. */
  giveBackStale(): void {
    const stale = performance.now() - STALE_MS;
    [...this.waiting]
      .filter(({ claimedAt }) => claimedAt < stale)
      .forEach((run) => this.stop(run, 'no free slot'));
  }

  /**
   * Hands back what waits, lets what runs finish until the deadline, then stops and hands it back.
   * @param deadlineMs from now
   */
  async drain(deadlineMs: number): Promise<void> {
    [...this.waiting].forEach((run) => this.stop(run, 'shutting down'));
    const deadlines = [
      setTimeout(() => this.stopWhere(() => true, 'shutting down'), deadlineMs),
      setTimeout(() => this.giveUp.abort(), deadlineMs + LAST_WRITES_MS),
    ];
    if (this.held.size > 0) {
      this.logger.log({ running: this.held.size }, 'waits for running jobs');
    }
    while (this.held.size > 0) {
      await new Promise<void>((resolve) => {
        this.idle = resolve;
      });
    }
    deadlines.forEach((deadline) => clearTimeout(deadline));
  }

  private stop(run: Run | undefined, reason: StopReason): void {
    if (run === undefined) {
      return;
    }
    run.stop(reason);
    if (this.waiting.remove(run.job.orgId, run)) {
      void this.conclude(run, run.outcomeUnstarted(), 0);
    }
  }

  private fill(): void {
    while (this.taken + this.reserved < this.config.WORKER_SLOTS && this.waiting.size > 0) {
      void this.occupy(this.waiting.shift() as Run);
    }
  }

  private async occupy(run: Run): Promise<void> {
    this.taken += 1;
    if (run.mostThreads > 1) {
      this.wide.add(run);
    }
    this.lendThreads();
    const startedAt = performance.now();
    run.trace = this.traces.begin(run.job);
    const outcome = await this.outcomeOf(run);
    this.wide.delete(run);
    this.progress.forget(run.job.leaseId);
    const ms = performance.now() - startedAt;
    this.prefetch.note(ms);
    const written = this.conclude(run, outcome, ms);
    const unwritten = this.held.size - this.waiting.size - this.taken;
    if (unwritten > MAX_UNWRITTEN || isLarge(outcome)) {
      await written;
    }
    this.taken -= 1;
    this.fill();
    this.lendThreads();
    if (this.room > 0) {
      this.emit('room');
    }
  }

  /** A job that comes gets its slot at once; those that had its thread let go of it a moment later. */
  private lendThreads(): void {
    if (this.wide.size === 0) {
      return;
    }
    const idle = Math.min(this.config.WORKER_SLOTS, PROCESSORS) - this.taken - this.reserved;
    const threads = threadsOfEach(this.wide.size, idle);
    [...this.wide].forEach((run, index) => run.mayUse(threads[index] as number));
  }

  private conclude(run: Run, outcome: FinalOutcome, ms: number): Promise<void> {
    const stored = run.trace?.store(outcome.kind);
    return this.concluder.conclude(run.job, outcome, ms, this.giveUp.signal).then(() => {
      stored?.();
      this.held.delete(run.job.leaseId);
      if (run.isCanceled && run.stoppedAt !== null) {
        this.metrics.noteCanceled(performance.now() - run.stoppedAt);
      }
      if (this.held.size === 0) {
        this.idle?.();
      }
    });
  }

  /** Never rejects: a fault of ours fails the attempt like a fault of the task. */
  private async outcomeOf(run: Run): Promise<FinalOutcome> {
    const { job } = run;
    try {
      const parameters = job.parameters ?? (await this.parametersOf(job));
      return await run.execute(parameters);
    } catch (error) {
      if (mayPass(error)) {
        return { kind: 'released' };
      }
      return {
        kind: 'failed',
        retryable: true,
        problem: jobProblem(
          'task-failed',
          'The task could not be run: the log of the worker says why.',
        ),
        stack: error instanceof Error ? (error.stack ?? error.message) : String(error),
      };
    }
  }

  private async parametersOf(job: ClaimedJob): Promise<string> {
    const parameters = await outlast(
      () => this.claims.parameters(job.jobId),
      this.giveUp.signal,
      (error) => this.logger.warn({ err: error, ...describeJob(job) }, 'waits for the database'),
    );
    return parameters ?? '{}';
  }
}

const isLarge = (outcome: FinalOutcome): boolean =>
  outcome.kind === 'succeeded' && outcome.results.length > SMALL_RESULTS;
