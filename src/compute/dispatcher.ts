import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { describeJob } from '../jobs/job.log.js';
import { jobProblem } from '../jobs/job.problems.js';
import { JobSignals } from '../jobs/job.signals.js';
import { type ClaimedJob, LeaseStore, type RingTurn } from '../jobs/lease.store.js';
import { Worker } from '../jobs/worker.js';
import { CONFIG, type Config } from '../platform/config.js';
import { isDatabaseUnavailable } from '../platform/database/database.errors.js';
import { outlast } from '../platform/database/outlast.js';
import type { Runner, StopReason } from './attempt.js';
import { ProgressReporter } from './progress.reporter.js';
import { RunConcluder } from './run.concluder.js';
import { Run, type RunOutcome } from './run.js';
import { InlineRunner } from './runners/inline.runner.js';
import { ProcessRunner } from './runners/process.runner.js';
import { ThreadRunner } from './runners/thread.runner.js';
import { type CatalogueEntry, TASK_CATALOGUE, TaskCatalogue, taskKey } from './task.catalogue.js';
import { servedTasks } from './task.patterns.js';

/** How often the dispatcher asks itself whether to poll. */
const TICK_MS = 100;
/** Polling slows down from the first to the last of these while there is nothing to do. */
const FIRST_POLL_MS = 250;
const LAST_POLL_MS = 2_000;
/** After the drain's deadline: how long the last outcomes may wait for an absent database. */
const LAST_WRITES_MS = 5_000;
/** After a claim that passed over an organization because another worker was claiming from it. */
const CONTENDED_MS = 10;

/**
 * Keeps this process's slots full: claims jobs when a hint arrives, when a slot falls free, and, as
 * a floor, by polling ever more slowly while idle. One claim is on its way at a time.
 */
@Injectable()
export class Dispatcher implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger('Dispatcher');
  private readonly running = new Map<string, Run>();
  private readonly served: readonly CatalogueEntry[];
  private readonly runners: Record<'thread' | 'inline' | 'process', Runner>;
  /** A random place in the ring, so that workers do not walk in step. */
  private turn: RingTurn = { cursor: randomUUID(), credit: 0 };
  private claiming: Promise<void> | null = null;
  private hinted = false;
  private draining = false;
  private pollEveryMs = FIRST_POLL_MS;
  private pollAt = 0;
  private slotFreed: (() => void) | null = null;
  /** Aborts when a shutdown cannot wait for the database any longer. */
  private readonly giveUp = new AbortController();

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(TASK_CATALOGUE) private readonly catalogue: TaskCatalogue,
    private readonly leases: LeaseStore,
    private readonly worker: Worker,
    private readonly signals: JobSignals,
    private readonly progress: ProgressReporter,
    private readonly concluder: RunConcluder,
    threads: ThreadRunner,
    inline: InlineRunner,
    processes: ProcessRunner,
  ) {
    this.served = servedTasks(catalogue, config.WORKER_TASKS);
    this.runners = { thread: threads, inline, process: processes };
  }

  async onApplicationBootstrap(): Promise<void> {
    this.signals.on('work', () => this.wake());
    this.signals.on('cancel', (workerId, jobId) => {
      if (workerId === this.worker.id) {
        this.stopWhere(({ job }) => job.jobId === jobId, 'canceled');
      }
    });
    this.worker.on('cancel', (leaseIds) => {
      this.stopWhere(({ job }) => leaseIds.includes(job.leaseId), 'canceled');
    });
    this.worker.on('lost', () => this.stopWhere(() => true, 'lease lost'));
    this.progress.on('cancel', (leaseId) => {
      this.stopWhere(({ job }) => job.leaseId === leaseId, 'canceled');
    });
    this.progress.on('lost', (leaseId) => {
      this.stopWhere(({ job }) => job.leaseId === leaseId, 'lease lost');
    });
    await this.worker.start();
    this.logger.log(
      { slots: this.config.WORKER_SLOTS, tasks: this.served.map(({ task }) => taskKey(task)) },
      'takes jobs',
    );
  }

  /** There may be work: claims as soon as there is a free slot. */
  wake(): void {
    this.hinted = true;
    this.claiming ??= this.claimWhileHinted().finally(() => {
      this.claiming = null;
    });
  }

  @Interval('dispatcher.poll', TICK_MS)
  poll(): void {
    if (performance.now() >= this.pollAt) {
      this.pollAt = performance.now() + this.pollEveryMs;
      this.pollEveryMs = Math.min(LAST_POLL_MS, this.pollEveryMs * 2);
      this.wake();
    }
  }

  /**
   * Lets running jobs finish until the deadline, then stops them and hands them back. This is the
   * first of Nest's shutdown hooks: heartbeats, which the scheduler ends in the next, go on meanwhile.
   */
  async onModuleDestroy(): Promise<void> {
    this.draining = true;
    await this.worker.drain().catch((error: unknown) => {
      this.logger.warn({ err: error }, 'could not announce the drain');
    });
    await this.claiming;
    const deadlineMs = this.config.SHUTDOWN_SECONDS * 1_000;
    const deadlines = [
      setTimeout(() => this.stopWhere(() => true, 'shutting down'), deadlineMs),
      setTimeout(() => this.giveUp.abort(), deadlineMs + LAST_WRITES_MS),
    ];
    if (this.running.size > 0) {
      this.logger.log({ running: this.running.size }, 'waits for running jobs');
    }
    while (this.running.size > 0) {
      await new Promise<void>((resolve) => {
        this.slotFreed = resolve;
      });
    }
    deadlines.forEach((deadline) => clearTimeout(deadline));
    await this.worker.stop().catch((error: unknown) => {
      this.logger.warn({ err: error }, 'could not sign off; others will notice');
    });
  }

  private stopWhere(matches: (run: Run) => boolean, reason: StopReason): void {
    for (const run of this.running.values()) {
      if (matches(run)) {
        run.stop(reason);
      }
    }
  }

  private async claimWhileHinted(): Promise<void> {
    while (this.hinted && !this.draining) {
      this.hinted = false;
      const free = this.config.WORKER_SLOTS - this.running.size;
      const workerId = this.worker.id;
      if (free <= 0 || workerId === null || this.served.length === 0) {
        return;
      }
      try {
        const { jobs, turn, contended } = await this.leases.claim(
          workerId,
          this.served.map(({ task }) => task),
          free,
          this.turn,
        );
        this.turn = turn;
        for (const job of jobs) {
          void this.start(job);
        }
        if (jobs.length > 0) {
          this.pollEveryMs = FIRST_POLL_MS;
        } else if (contended) {
          await sleep(CONTENDED_MS * (1 + Math.random()));
        }
        this.hinted ||= jobs.length > 0 || contended;
      } catch (error) {
        const level = isDatabaseUnavailable(error) ? 'warn' : 'error';
        this.logger[level]({ err: error }, 'a claim failed; polling tries again');
        return;
      }
    }
  }

  private async start(job: ClaimedJob): Promise<void> {
    const entry = this.catalogue.find(job.topic, job.task) as CatalogueEntry;
    const run = new Run(job, entry, this.runners[entry.task.runner], (percent, message) => {
      this.progress.report(job, percent, message);
    });
    this.running.set(job.leaseId, run);
    this.logger.log(
      {
        ...describeJob(job),
        transition: 'claim',
        from: 'requested',
        to: 'in progress',
        ms: Date.now() - job.createdAt.getTime(),
      },
      'job',
    );
    try {
      const outcome = await this.outcomeOf(run);
      this.progress.forget(job.leaseId);
      const ms = performance.now() - run.startedAt;
      await this.concluder.conclude(job, outcome, ms, this.giveUp.signal);
    } finally {
      this.running.delete(job.leaseId);
      this.slotFreed?.();
      this.wake();
    }
  }

  /** Never rejects: a fault of ours fails the attempt like a fault of the task. */
  private async outcomeOf(run: Run): Promise<RunOutcome> {
    const { job } = run;
    try {
      const parameters = await outlast(
        () => this.leases.parameters(job.jobId),
        this.giveUp.signal,
        (error) => this.logger.warn({ err: error, ...describeJob(job) }, 'waits for the database'),
      );
      return await run.execute(parameters ?? '{}');
    } catch (error) {
      if (isDatabaseUnavailable(error)) {
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
}
