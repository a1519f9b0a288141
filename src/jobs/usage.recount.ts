import { Injectable, Logger } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { mayPass } from '../platform/database/database.errors.js';
import { UsageStore } from './usage.store.js';

const ASK_EVERY_MS = 600_000;
const PAUSE_SECONDS = 86_400;

/** Counts once a day what organizations store, since a process that was killed forgets its last second. */
@Injectable()
export class UsageRecount {
  private readonly logger = new Logger('UsageRecount');

  constructor(private readonly usage: UsageStore) {}

  /** Never rejects. */
  @Interval('recount', ASK_EVERY_MS)
  async tick(): Promise<void> {
    try {
      const corrected = await this.usage.recount(PAUSE_SECONDS);
      if (corrected !== null) {
        this.logger.log({ corrected }, 'counted stored bytes');
      }
    } catch (error) {
      if (mayPass(error)) {
        this.logger.debug({ err: error }, 'the database cannot be reached');
      } else {
        this.logger.error({ err: error }, 'stored bytes were not counted; tries again tomorrow');
      }
    }
  }
}
