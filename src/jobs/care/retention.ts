import { setTimeout as sleep } from 'node:timers/promises';
import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { CONFIG, type Config } from '../../platform/config.js';
import { Periodic } from '../../platform/periodic.js';
import { RetentionStore, type Sweep } from './retention.store.js';

const ASK_EVERY_MS = 60_000;
/** A pass that is longer goes on a minute later: what it has deleted is deleted. */
const DEADLINE_MS = 3_600_000;
/** After the last expired job was deleted, those that expire meanwhile gather for so long. */
const PAUSE_SECONDS = 600;
/** Most jobs that one statement looks at. */
const MAX_JOBS = 1_000;
/** A statement that takes longer looks at fewer jobs the next time: large results take long to delete. */
const LONG_MS = 250;
/** The database asks for four times what the statement took there; this is a little more. */
const REST = 4.5;

/**
 * Deletes ended jobs whose time is over. Every replica asks once a minute whether it is due; the one
 * that finds it so goes on, a few hundred jobs at a time with rests between, until all are deleted.
 */
@Injectable()
export class Retention implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('Retention');
  private readonly loop = new Periodic(
    { name: 'Retention', everyMs: ASK_EVERY_MS, deadlineMs: DEADLINE_MS },
    (signal) => this.deleteExpired(signal),
  );
  private jobsAtOnce = MAX_JOBS;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly store: RetentionStore,
  ) {}

  onApplicationBootstrap(): void {
    void this.tick();
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.loop.stop();
  }

  @Interval('retention', ASK_EVERY_MS)
  tick(): Promise<void> {
    return this.loop.tick();
  }

  private async deleteExpired(signal: AbortSignal): Promise<void> {
    const total = { deleted: 0 };
    try {
      await this.deleteAll(total, signal);
    } catch (error) {
      this.jobsAtOnce = Math.ceil(this.jobsAtOnce / 2);
      throw error;
    } finally {
      if (total.deleted > 0) {
        this.logger.log(total, 'deleted expired jobs');
      }
    }
  }

  private async deleteAll(total: { deleted: number }, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const began = performance.now();
      const swept = await this.sweep();
      const tookMs = performance.now() - began;
      total.deleted += swept?.deleted ?? 0;
      if (swept === null || swept.finished) {
        return;
      }
      this.jobsAtOnce =
        tookMs > LONG_MS ? Math.ceil(this.jobsAtOnce / 2) : Math.min(MAX_JOBS, this.jobsAtOnce * 2);
      await sleep(REST * tookMs, undefined, { signal });
    }
  }

  private sweep(): Promise<Sweep | null> {
    return this.store.sweep(this.config.RETENTION_DAYS, this.jobsAtOnce, PAUSE_SECONDS);
  }
}
