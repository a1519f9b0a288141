import { type BeforeApplicationShutdown, Injectable, Logger } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { Periodic } from '../../platform/periodic.js';
import { UsageStore } from './usage.store.js';

const ASK_EVERY_MS = 600_000;
const PAUSE_SECONDS = 86_400;

/** Counts once a day what organizations store, since a process that was killed forgets its last second. */
@Injectable()
export class UsageRecount implements BeforeApplicationShutdown {
  private readonly logger = new Logger('UsageRecount');
  private readonly loop = new Periodic({ name: 'UsageRecount', everyMs: ASK_EVERY_MS }, () =>
    this.recount(),
  );

  constructor(private readonly usage: UsageStore) {}

  @Interval('recount', ASK_EVERY_MS)
  tick(): Promise<void> {
    return this.loop.tick();
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.loop.stop();
  }

  private async recount(): Promise<void> {
    const corrected = await this.usage.recount(PAUSE_SECONDS);
    if (corrected !== null) {
      this.logger.log({ corrected }, 'counted stored bytes');
    }
  }
}
