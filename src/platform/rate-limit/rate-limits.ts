import { type BeforeApplicationShutdown, Inject, Injectable, Logger } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import type { FastifyReply } from 'fastify';
import { CONFIG, type Config } from '../config.js';
import { Database } from '../database/database.js';
import { Problem } from '../http/problem/problem.js';
import { Periodic } from '../periodic.js';
import { type Bucket, BucketStore } from './bucket.store.js';
import { networkOf } from './network-of.js';
import { RateLimiter, type Verdict } from './rate-limiter.js';

const CLEAN_EVERY_MS = 60_000;

/** What organizations count their requests in. */
export type OrganizationBucket = Exclude<Bucket, 'failures' | 'address'>;

const REFUSALS: Record<OrganizationBucket, string> = {
  submits: 'The organization submits more jobs than it may',
  cancels: 'The organization cancels more jobs than it may',
  polls: 'The organization asks for the state of its jobs more often than it may',
  requests: 'The organization sends more requests than it may',
};

/** How many requests organizations may send, and how many wrong tokens an address. */
@Injectable()
export class RateLimits implements BeforeApplicationShutdown {
  private readonly logger = new Logger('RateLimits');
  private readonly store: BucketStore;
  private readonly limiter: RateLimiter;
  private readonly perMinute: Readonly<Record<Bucket, number>>;
  /** Clears away buckets that are full: nobody misses them. */
  private readonly loop = new Periodic({ name: 'RateLimits', everyMs: CLEAN_EVERY_MS }, () =>
    this.store.clean(),
  );

  constructor(database: Database, @Inject(CONFIG) config: Config) {
    this.store = new BucketStore(database);
    this.limiter = new RateLimiter(
      (ask) => this.store.take(ask),
      (error) => this.logger.debug({ err: error }, 'rate limits hold for this replica alone'),
    );
    this.perMinute = {
      submits: config.RATE_LIMIT_SUBMITS,
      cancels: config.RATE_LIMIT_SUBMITS,
      polls: config.RATE_LIMIT_POLLS,
      requests: config.RATE_LIMIT_REQUESTS,
      failures: config.RATE_LIMIT_FAILURES,
      address: config.RATE_LIMIT_ADDRESS,
    };
  }

  /**
   * Counts a request of an organization and tells it what is left (draft-ietf-httpapi-ratelimit-headers).
   * A promise only when the database has to be asked.
   * @throws Problem `too-many-requests`
   */
  admit(orgId: string, bucket: OrganizationBucket, reply: FastifyReply): void | Promise<void> {
    const verdict = this.limiter.spend({ bucket, holder: { orgId } }, this.perMinute[bucket]);
    return verdict instanceof Promise
      ? verdict.then((late) => this.tell(late, bucket, reply))
      : this.tell(verdict, bucket, reply);
  }

  /**
   * Runs a verification that an address may not fail too often: one that succeeds costs it nothing.
   * @param failed whether an error means that the address sent something wrong
   * @throws Problem `too-many-requests`, without running it
   */
  async verify<T>(
    address: string,
    verification: () => Promise<T>,
    failed: (error: unknown) => boolean,
  ): Promise<T> {
    const key = { bucket: 'failures', holder: { address: networkOf(address) } } as const;
    // Spent before, so that many at once cannot all begin with the last one.
    const verdict = await this.limiter.spend(key, this.perMinute.failures);
    if (!verdict.admitted) {
      throw refusal('Too many wrong tokens came from your address', verdict);
    }
    try {
      const answer = await verification();
      this.limiter.giveBack(key);
      return answer;
    } catch (error) {
      if (!failed(error)) {
        this.limiter.giveBack(key);
      }
      throw error;
    }
  }

  /** Whether all requests of an address are counted. */
  get limitsAddresses(): boolean {
    return this.perMinute.address > 0;
  }

  /**
   * Counts a request of an address, whatever it is. A promise only when the database has to be asked.
   * @throws Problem `too-many-requests`
   */
  admitAddress(address: string): void | Promise<void> {
    const key = { bucket: 'address', holder: { address: networkOf(address) } } as const;
    const verdict = this.limiter.spend(key, this.perMinute.address);
    const judge = (known: Verdict): void => {
      if (!known.admitted) {
        throw refusal('Too many requests came from your address', known);
      }
    };
    return verdict instanceof Promise ? verdict.then(judge) : judge(verdict);
  }

  @Interval('rate limits', CLEAN_EVERY_MS)
  tick(): Promise<void> {
    return this.loop.tick();
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.loop.stop();
  }

  private tell(verdict: Verdict, bucket: OrganizationBucket, reply: FastifyReply): void {
    const { admitted, perMinute, remaining, seconds } = verdict;
    if (perMinute === 0) {
      return;
    }
    void reply.headers({
      'ratelimit-policy': `"${bucket}";q=${perMinute};w=60`,
      ratelimit: `"${bucket}";r=${remaining};t=${seconds}`,
    });
    if (!admitted) {
      throw refusal(REFUSALS[bucket], verdict);
    }
  }
}

function refusal(what: string, { perMinute, seconds }: Verdict): Problem {
  return new Problem(
    'too-many-requests',
    `${what} (${perMinute} a minute): wait as long as Retry-After says, or ask the operator for a higher limit.`,
    { headers: { 'retry-after': String(seconds) } },
  );
}
