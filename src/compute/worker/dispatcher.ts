import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { ClaimStore, type RingTurn } from '../../jobs/lease/claim.store.js';
import { JobSignals } from '../../jobs/job/job-signals.js';
import type { ClaimedJob } from '../../jobs/lease/lease.store.js';
import { type LocalStarter, LocalStarts } from '../../jobs/lease/local-starts.js';
import { LocalWorker } from '../../jobs/lease/local-worker.js';
import type { StopReason } from '../runners/attempt.js';
import { CONFIG, type Config } from '../../platform/config.js';
import { mayPass } from '../../platform/database/database-errors.js';
import { SchemaState } from '../../platform/database/schema/schema-state.js';
import {
  type CatalogueEntry,
  TASK_CATALOGUE,
  TaskCatalogue,
  taskKey,
} from '../catalogue/task-catalogue.js';
import { AttemptTraces } from '../runners/trace/attempt-traces.js';
import { servedTasks } from './task-patterns.js';
import { Slots } from './slots.js';
import { WorkerMetrics } from './worker-metrics.js';

/** How often the dispatcher asks itself whether to poll. */
const TICK_MS = 100;
/** Polling slows down from the first to the last of these while there is nothing to do … */
const FIRST_POLL_MS = 250;
const LAST_POLL_MS = 5_000;
/** … but not below this while hints cannot be heard. */
const LAST_POLL_UNHEARD_MS = 1_000;
/** After a claim that passed over what another worker was claiming. */
const CONTENDED_MS = 10;

/**
 * Keeps this process's slots full: claims jobs when a hint arrives, when a slot falls free, and, as
 * a floor, by polling ever more slowly while idle. One claim is on its way at a time.
 */
@Injectable()
export class Dispatcher implements OnModuleDestroy {
  private readonly logger = new Logger('Dispatcher');
  private readonly served: readonly CatalogueEntry[];
  /** A random place in the ring, so that workers do not walk in step. */
  private turn: RingTurn = { cursor: randomUUID(), credit: 0 };
  private claiming: Promise<void> | null = null;
  private hinted = false;
  private draining = false;
  private pollEveryMs = FIRST_POLL_MS;
  private pollAt = 0;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(TASK_CATALOGUE) catalogue: TaskCatalogue,
    private readonly claims: ClaimStore,
    private readonly worker: LocalWorker,
    private readonly signals: JobSignals,
    private readonly slots: Slots,
    private readonly schema: SchemaState,
    private readonly starts: LocalStarts,
    private readonly metrics: WorkerMetrics,
    private readonly traces: AttemptTraces,
  ) {
    metrics.watch(
      () => slots.figures,
      () => worker.renewedMs,
    );
    this.served = servedTasks(catalogue, config.WORKER_TASKS);
  }

  /** From now on this process takes jobs. */
  async start(): Promise<void> {
    this.signals.on('work', () => this.wake());
    this.signals.on('cancel', (workerId, jobId) => {
      if (workerId === this.worker.id) {
        this.slots.stopWhere((job) => job.jobId === jobId, 'canceled');
      }
    });
    this.worker.on('cancel', (leaseIds) => {
      this.slots.stopWhere((job) => leaseIds.includes(job.leaseId), 'canceled');
    });
    this.worker.on('lost', () => {
      this.metrics.noteStop();
      this.slots.stopWhere(() => true, 'lease lost');
    });
    this.slots.on('room', () => this.wake());
    await this.worker.start(new Map(this.served.map(({ task }) => [taskKey(task), task.version])));
    this.starts.starter = this.starter();
    this.logger.log(
      { slots: this.config.WORKER_SLOTS, tasks: this.served.map(({ task }) => taskKey(task)) },
      'takes jobs',
    );
  }

  /** There may be work: claims as soon as there is room for it. */
  wake(): void {
    this.hinted = true;
    this.claiming ??= this.claimWhileHinted().finally(() => {
      this.claiming = null;
    });
  }

  @Interval('dispatcher.poll', TICK_MS)
  poll(): void {
    this.slots.giveBackStale();
    if (performance.now() >= this.pollAt) {
      this.pollAt = performance.now() + this.pollEveryMs;
      this.pollEveryMs = Math.min(
        this.worker.hearsHints ? LAST_POLL_MS : LAST_POLL_UNHEARD_MS,
        this.pollEveryMs * 2,
      );
      this.wake();
    }
  }

  /**
   * Hands back what waits, and lets running jobs finish until the deadline. This is the first of
   * Nest's shutdown hooks: heartbeats, which the scheduler ends in the next, go on meanwhile.
   */
  async onModuleDestroy(): Promise<void> {
    this.draining = true;
    this.starts.starter = null;
    await this.worker.drain().catch((error: unknown) => {
      this.logger.warn({ err: error }, 'could not announce the drain');
    });
    await this.claiming;
    await this.slots.drain(this.config.SHUTDOWN_SECONDS * 1_000);
    await this.worker.stop().catch((error: unknown) => {
      this.logger.warn({ err: error }, 'could not sign off; others will notice');
    });
  }

  /** The way of this process's own submits into its slots. */
  private starter(): LocalStarter {
    const served = new Set(this.served.map(({ task }) => taskKey(task)));
    const { slots, worker } = this;
    return {
      reserve: (topic, name) => {
        const workerId = worker.id;
        const may = workerId !== null && !this.draining && served.has(taskKey({ topic, name }));
        return may && slots.reserve() ? workerId : null;
      },
      start: (job, workerId) => {
        slots.take(job, this.reasonNotToStart(workerId));
        slots.unreserve();
      },
      free: () => {
        slots.unreserve();
        this.wake();
      },
      handBack: (lease) => {
        slots.unreserve();
        void slots.handBack(lease);
      },
    };
  }

  /** As for a claim; and nothing starts any more once the process drains. */
  private reasonNotToStart(workerId: string): StopReason | null {
    if (this.worker.id !== workerId) {
      return 'lease lost';
    }
    return this.draining ? 'shutting down' : null;
  }

  private async claimWhileHinted(): Promise<void> {
    while (this.hinted && !this.draining) {
      this.hinted = false;
      const { room } = this.slots;
      const workerId = this.worker.id;
      if (
        this.schema.fault !== null ||
        room <= 0 ||
        workerId === null ||
        this.served.length === 0
      ) {
        return;
      }
      const asked = performance.now();
      try {
        const found = await this.claim(workerId, room);
        this.hinted ||= found;
      } catch (error) {
        this.metrics.noteClaim('failed', performance.now() - asked);
        const level = mayPass(error) ? 'warn' : 'error';
        this.logger[level]({ err: error }, 'a claim failed; polling tries again');
        return;
      }
    }
  }

  /** @returns whether there may be more */
  private async claim(workerId: string, room: number): Promise<boolean> {
    const asked = performance.now();
    const claimed = await this.claims.claim(
      workerId,
      this.served.map(({ task }) => task),
      room,
      this.turn,
      this.slots.lastChances,
      this.traces.on,
    );
    this.turn = claimed.turn;
    const { jobs, contended } = claimed;
    const result = jobs.length > 0 ? 'jobs' : contended ? 'contended' : 'empty';
    this.metrics.noteClaim(result, performance.now() - asked);
    // An answer that comes after the lease's end brings jobs that may be another's by now.
    const stopped = this.worker.id === workerId ? null : 'lease lost';
    jobs.forEach((job: ClaimedJob) => this.slots.take(job, stopped));
    if (jobs.length > 0) {
      this.pollEveryMs = FIRST_POLL_MS;
    } else if (contended) {
      await sleep(CONTENDED_MS * (1 + Math.random()));
    }
    return jobs.length > 0 || contended;
  }
}
