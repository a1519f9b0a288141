import { Inject, Injectable, Logger } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { CONFIG, type Config } from '../platform/config.js';
import { mayPass } from '../platform/database/database.errors.js';
import { describeJob } from './job.log.js';
import { JobSignals } from './job.signals.js';
import { type TendedJob, WorkerStore } from './worker.store.js';

const REAP_EVERY_MS = 1_000;

/**
 * Gives the jobs of lost workers back, fails those that nobody started in time, and lets in those
 * whose moment has come. Every replica does it; each statement takes what no other has taken.
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
      tended.forEach((job) => this.tell(job));
      if (tended.some(({ status }) => status === 'requested')) {
        this.signals.announceWork();
      }
    } catch (error) {
      if (mayPass(error)) {
        this.logger.debug({ err: error }, 'the database cannot be reached');
      } else {
        this.logger.error({ err: error }, 'reaping failed; tries again in a second');
      }
    } finally {
      this.busy = false;
    }
  }

  private tell(job: TendedJob): void {
    const { transition, status: to } = job;
    switch (transition) {
      case 'reap':
        this.logger.warn(
          {
            ...describeJob(job),
            transition,
            from: to === 'canceled' ? 'canceling' : 'in progress',
            to,
            worker: job.lostWorkerId,
          },
          'job',
        );
        return;
      case 'expire':
        this.logger.warn({ ...describeJob(job), transition, from: 'requested', to }, 'job');
        return;
      case 'admit':
        return;
      default:
        transition satisfies never;
    }
  }
}
