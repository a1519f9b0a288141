import { EventEmitter } from 'node:events';
import { hostname } from 'node:os';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { SchedulerRegistry } from '@nestjs/schedule';
import { CONFIG, type Config } from '../../platform/config.js';
import { ADVISORY_LOCKS } from '../../platform/database/advisory-locks.js';
import { VERSION } from '../../platform/version.js';
import { Database } from '../../platform/database/database.js';
import { outlast } from '../../platform/database/outlast.js';
import { StandingConnection } from '../../platform/database/connections/standing-connection.js';
import { JobSignals } from '../job/job-signals.js';
import { type Beat, type WorkerIdentity, WorkerStore } from './worker.store.js';

interface Events {
  /** The leases may belong to others by now: stop the work, write nothing more. */
  lost: [];
  /** These leases' jobs are to be canceled. */
  cancel: [leaseIds: readonly string[]];
}

/** How long a start waits for the database. */
const START_PATIENCE_MS = 30_000;
/** A failed heartbeat is repeated this long after it was asked for, at the soonest. */
const RETRY_MS = 1_000;
/**
 * The part of the lease within which a heartbeat is answered, or its connection given up for dead. The
 * next is due after a third, the self-stop comes after four fifths: a second try fits between.
 */
const ANSWER_WITHIN = 1 / 4;
/** The longest grace time of a runner, and the time until it notices. */
const SMALLEST_MARGIN_MS = 1_500;
/** How often the worker asks itself whether its leases are about to end. */
const WATCH_MS = 250;

/**
 * This process as a worker: registers it, beats for all its leases at once, and stops its own work
 * before the leases end when it cannot renew them. Only monotonic time decides here, and only the
 * database's time there.
 */
@Injectable()
export class LocalWorker extends EventEmitter<Events> {
  private readonly logger = new Logger('LocalWorker');
  private readonly leaseMs: number;
  private readonly slots: number;
  private tasks: ReadonlyMap<string, string> = new Map();
  private identity: WorkerIdentity | null = null;
  private link: StandingConnection | null = null;
  private renewedAt = 0;
  private nextBeatAt = 0;
  private beating: Promise<void> | null = null;
  private stoppedItself = false;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly database: Database,
    private readonly store: WorkerStore,
    private readonly signals: JobSignals,
    private readonly scheduler: SchedulerRegistry,
  ) {
    super();
    this.leaseMs = config.LEASE_SECONDS * 1_000;
    this.slots = config.WORKER_SLOTS;
  }

  /** The id to claim with, or null while the worker must not start anything. */
  get id(): string | null {
    return this.expired ? null : (this.identity?.id ?? null);
  }

  /** Milliseconds since a heartbeat was last sent that was answered. */
  get renewedMs(): number {
    return performance.now() - this.renewedAt;
  }

  /** Whether hints of other processes can be heard at the moment. */
  get hearsHints(): boolean {
    return this.link?.connected ?? false;
  }

  /**
   * Leases end `leaseMs` after the last heartbeat that was answered. A fifth of that is kept as a
   * margin, and always enough for runners to stop their work in.
   */
  private get expired(): boolean {
    const margin = Math.max(this.leaseMs * 0.2, SMALLEST_MARGIN_MS);
    return performance.now() - this.renewedAt > this.leaseMs - margin;
  }

  /**
   * Registers the worker and begins to beat. Outlasts a database that is away, for half a minute.
   * @param tasks versions of the tasks that it runs, by their keys
   */
  async start(tasks: ReadonlyMap<string, string>): Promise<void> {
    this.tasks = tasks;
    await outlast(
      () => this.register(),
      AbortSignal.timeout(START_PATIENCE_MS),
      (error) => this.logger.warn({ err: error }, 'waits for the database'),
    );
    this.scheduler.addInterval(
      'worker.watch',
      setInterval(() => this.watch(), WATCH_MS),
    );
  }

  /** Stops claims for good; leases are kept alive until {@link stop}. */
  async drain(): Promise<void> {
    if (this.identity !== null) {
      await this.store.drain(this.identity.id);
    }
  }

  async stop(): Promise<void> {
    if (this.scheduler.doesExist('interval', 'worker.watch')) {
      this.scheduler.deleteInterval('worker.watch');
    }
    await this.beating;
    await this.link?.close();
    if (this.identity !== null) {
      await this.store.unregister(this.identity.id);
      this.identity = null;
    }
  }

  private async register(): Promise<void> {
    await this.link?.close();
    const asked = performance.now();
    const identity = await this.store.register(`${hostname()}:${process.pid}`, {
      version: VERSION,
      tasks: this.tasks,
      slots: this.slots,
    });
    this.renewedAt = asked;
    this.stoppedItself = false;
    this.nextBeatAt = asked + this.leaseMs / 3;
    this.identity = identity;
    this.link = this.linkOf(identity);
    await this.link.open();
    this.logger.log({ worker: identity.id }, 'registered');
  }

  /**
   * The worker's own connection: it carries the heartbeats, holds the advisory lock that shows the
   * process to be alive, and hears the hints of others. So none of the three can be dead unnoticed, and
   * no heartbeat waits for a connection that others use.
   */
  private linkOf({ lockKey }: WorkerIdentity): StandingConnection {
    return new StandingConnection(this.database, {
      whose: "the worker's",
      answerMs: this.leaseMs * ANSWER_WITHIN,
      greet: async (connection) => {
        // Shared: the server may not know yet that the connection before this one is dead.
        await connection.query('SELECT pg_advisory_lock_shared($1, $2)', [
          ADVISORY_LOCKS.worker,
          lockKey,
        ]);
        await this.signals.listen(connection, this.config.ROLE);
      },
      hear: (channel, payload) => this.signals.hear(channel, payload),
      onConnected: () => {
        this.nextBeatAt = 0;
        this.watch();
        this.signals.emit('work');
        this.signals.emit('hearing');
      },
      onLost: () => this.signals.emit('deaf'),
    });
  }

  private watch(): void {
    if (this.expired && !this.stoppedItself) {
      this.stoppedItself = true;
      this.logger.warn(
        { worker: this.identity?.id },
        'could not renew its leases in time: stops its jobs',
      );
      this.emit('lost');
    }
    if (this.beating === null && performance.now() >= this.nextBeatAt) {
      this.beating = this.beat().finally(() => {
        this.beating = null;
      });
    }
  }

  private async beat(): Promise<void> {
    const asked = performance.now();
    try {
      if (this.identity === null) {
        await this.register();
        return;
      }
      const { alive, canceling } = await this.beatOnce(this.identity.id);
      if (!alive) {
        this.logger.warn({ worker: this.identity.id }, 'was taken for lost; registers anew');
        this.identity = null;
        this.nextBeatAt = 0;
        this.emit('lost');
        return;
      }
      this.renewedAt = asked;
      this.stoppedItself = false;
      this.nextBeatAt = asked + this.leaseMs / 3;
      if (canceling.length > 0) {
        this.emit('cancel', canceling);
      }
    } catch (error) {
      // The time that it waited for an answer counts: a second try must fit before the self-stop.
      this.nextBeatAt = asked + RETRY_MS;
      this.logger.warn({ err: error }, 'a heartbeat failed; tries again');
    }
  }

  private beatOnce(workerId: string): Promise<Beat> {
    if (this.link === null) {
      throw new Error('The worker has no connection of its own.');
    }
    return this.link.ask((connection) => this.store.beat(workerId, connection));
  }
}
