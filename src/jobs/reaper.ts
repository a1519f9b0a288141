import { Inject, Injectable, Logger } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { CONFIG, type Config } from '../platform/config.js';
import { isDatabaseUnavailable } from '../platform/database/database.errors.js';
import { describeJob } from './job.log.js';
import { JobSignals } from './job.signals.js';
import { WorkerStore } from './worker.store.js';

const REAP_EVERY_MS = 1_000;

/**
 * Gives the jobs of lost workers back, and lets jobs in whose back-off is over. Every replica does
 * it; each statement takes what no other has taken.
 */
@Injectable()
export class Reaper {
  private readonly logger = new Logger('Reaper');
  private busy = false;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly workers: WorkerStore,
    private readonly signals: JobSignals,
  ) {}

  @Interval('reaper', REAP_EVERY_MS)
  async tick(): Promise<void> {
    if (this.busy) {
      return;
    }
    this.busy = true;
    try {
      const tended = await this.workers.tend(this.config.LEASE_SECONDS);
      for (const job of tended.filter(({ lostWorkerId }) => lostWorkerId !== null)) {
        this.logger.warn(
          {
            ...describeJob(job),
            transition: 'reap',
            from: job.status === 'canceled' ? 'canceling' : 'in progress',
            to: job.status,
            worker: job.lostWorkerId,
          },
          'job',
        );
      }
      if (tended.some(({ status }) => status === 'requested')) {
        this.signals.announceWork();
      }
    } catch (error) {
      if (isDatabaseUnavailable(error)) {
        this.logger.debug({ err: error }, 'the database cannot be reached');
      } else {
        this.logger.error({ err: error }, 'reaping failed; tries again in a second');
      }
    } finally {
      this.busy = false;
    }
  }
}
