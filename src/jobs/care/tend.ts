import { type BeforeApplicationShutdown, Inject, Injectable, Logger } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { CONFIG, type Config } from '../../platform/config.js';
import { Periodic } from '../../platform/periodic.js';
import { ChangeFeed } from '../feed/change-feed.js';
import { describeJob } from '../job/log-fields.js';
import { JobSignals } from '../job/job-signals.js';
import { JobMetrics } from '../metrics/job-metrics.js';
import { type TendedJob, TendStore } from './tend.store.js';

const EVERY_MS = 1_000;

/**
 * Tends jobs that nobody holds: reaps those of lost workers, expires those not started in time,
 * and makes those claimable whose time has come. Every replica does it; each takes what no other has.
 */
@Injectable()
export class Tend implements BeforeApplicationShutdown {
  private readonly logger = new Logger('Tend');
  private readonly loop = new Periodic({ name: 'Tend', everyMs: EVERY_MS }, () => this.tend());

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly store: TendStore,
    private readonly signals: JobSignals,
    private readonly feed: ChangeFeed,
    private readonly metrics: JobMetrics,
  ) {}

  @Interval('tend', EVERY_MS)
  tick(): Promise<void> {
    return this.loop.tick();
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.loop.stop();
  }

  private async tend(): Promise<void> {
    const tended = await this.store.tend(this.config.LEASE_SECONDS);
    for (const job of tended) {
      this.tell(job);
      this.feed.tell(job);
      this.count(job);
    }
    if (tended.some(({ status }) => status === 'requested')) {
      this.signals.announceWork();
    }
  }

  private count(job: TendedJob): void {
    if (job.transition === 'reap') {
      this.metrics.noteAttempt(job, 'lost', job.status, null);
    } else {
      this.metrics.noteEnd(job, job.status);
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
      case 'due':
        return;
      default:
        transition satisfies never;
    }
  }
}
