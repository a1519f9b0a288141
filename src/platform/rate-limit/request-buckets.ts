import { type BeforeApplicationShutdown, Injectable, Logger } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { Database } from '../database/database.js';
import { Problem } from '../http/problem/problem.js';
import { Periodic } from '../periodic.js';
import { BucketStore } from './bucket.store.js';
import { RateLimiter, type Verdict } from './rate-limiter.js';

const CLEAN_EVERY_MS = 60_000;

/** The token buckets of requests, as this process draws from them. */
@Injectable()
export class RequestBuckets extends RateLimiter implements BeforeApplicationShutdown {
  /** Deletes full buckets: they say nothing. */
  private readonly loop: Periodic;

  constructor(database: Database) {
    const store = new BucketStore(database);
    const logger = new Logger('RequestBuckets');
    super(
      (ask) => store.take(ask),
      (error) => logger.debug({ err: error }, 'rate limits hold for this replica alone'),
    );
    this.loop = new Periodic({ name: 'RequestBuckets', everyMs: CLEAN_EVERY_MS }, () =>
      store.clean(),
    );
  }

  @Interval('rate limits', CLEAN_EVERY_MS)
  tick(): Promise<void> {
    return this.loop.tick();
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.loop.stop();
  }
}

/** The answer to a request that got no token. @param what the beginning of its detail */
export const tooMany = (what: string, { perMinute, seconds }: Verdict): Problem =>
  new Problem(
    'too-many-requests',
    `${what} (${perMinute} a minute): wait as long as Retry-After says, or ask the operator for a higher limit.`,
    { headers: { 'retry-after': String(seconds) } },
  );
