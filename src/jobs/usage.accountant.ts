import { Injectable, Logger } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { isDatabaseUnavailable } from '../platform/database/database.errors.js';
import { UsageStore } from './usage.store.js';

const SUM_UP_EVERY_MS = 10_000;

/**
 * Sums up what organizations store, so that a look at it reads a few rows. Every replica does it, one
 * at a time; nothing is wrong while none does.
 */
@Injectable()
export class UsageAccountant {
  private readonly logger = new Logger('UsageAccountant');

  constructor(private readonly usage: UsageStore) {}

  /** Never rejects. */
  @Interval('usage', SUM_UP_EVERY_MS)
  async tick(): Promise<void> {
    try {
      await this.usage.sumUp();
    } catch (error) {
      if (isDatabaseUnavailable(error)) {
        this.logger.debug({ err: error }, 'the database cannot be reached');
      } else {
        this.logger.error({ err: error }, 'stored bytes were not summed up; tries again soon');
      }
    }
  }
}
