import { Inject, Injectable } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { CONFIG, type Config } from '../../platform/config.js';
import { Problem } from '../../platform/http/problem/problem.js';
import type { Verdict } from '../../platform/rate-limit/rate-limiter.js';
import { RequestBuckets, tooMany } from '../../platform/rate-limit/request-buckets.js';

/** What organizations count their requests in. SQL function `rate_limit_of` knows the same names. */
const REFUSALS = {
  submits: 'The organization submits more jobs than it may',
  cancels: 'The organization cancels more jobs than it may',
  polls: 'The organization asks for the state of its jobs more often than it may',
  requests: 'The organization sends more requests than it may',
};

export type OrganizationBucket = keyof typeof REFUSALS;

/** How many requests an organization may send in a minute. */
@Injectable()
export class OrganizationRates {
  /** As the service is configured; an organization's own limits go before. */
  private readonly configured: Readonly<Record<OrganizationBucket, number>>;

  constructor(
    private readonly buckets: RequestBuckets,
    @Inject(CONFIG) config: Config,
  ) {
    this.configured = {
      submits: config.RATE_LIMIT_SUBMITS,
      cancels: config.RATE_LIMIT_SUBMITS,
      polls: config.RATE_LIMIT_POLLS,
      requests: config.RATE_LIMIT_REQUESTS,
    };
  }

  /**
   * Counts a request of an organization and tells it what is left (draft-ietf-httpapi-ratelimit-headers).
   * A promise only when the database has to be asked.
   * @throws Problem `too-many-requests`
   */
  admit(orgId: string, bucket: OrganizationBucket, reply: FastifyReply): void | Promise<void> {
    const verdict = this.buckets.spend({ bucket, holder: { orgId } }, this.configured[bucket]);
    return verdict instanceof Promise
      ? verdict.then((late) => this.tell(late, bucket, reply))
      : this.tell(verdict, bucket, reply);
  }

  /**
   * Counts one request as many: all of them are admitted, or none.
   * @throws Problem `too-many-requests`
   */
  async admitMany(
    orgId: string,
    bucket: OrganizationBucket,
    count: number,
    reply: FastifyReply,
  ): Promise<void> {
    const key = { bucket, holder: { orgId } };
    const verdict = await this.buckets.spendMany(key, this.configured[bucket], count);
    if (!verdict.admitted && count > verdict.perMinute) {
      throw new Problem(
        'too-many-requests',
        `The request counts as ${count} and the organization may send ${verdict.perMinute} a minute: send fewer at once, or ask the operator for a higher limit.`,
        { headers: { 'retry-after': '60' } },
      );
    }
    this.tell(verdict, bucket, reply);
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
      throw tooMany(REFUSALS[bucket], verdict);
    }
  }
}
