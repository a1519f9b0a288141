import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../config.js';
import { networkOf } from './network-of.js';
import type { Verdict } from './rate-limiter.js';
import { RequestBuckets, tooMany } from './request-buckets.js';

/** How many requests a network address may send, and how many wrong tokens. */
@Injectable()
export class AddressRates {
  constructor(
    private readonly buckets: RequestBuckets,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** Whether all requests of an address are counted. */
  get counted(): boolean {
    return this.config.RATE_LIMIT_ADDRESS > 0;
  }

  /**
   * Counts a request of an address, whatever it is. A promise only when the database has to be asked.
   * @throws Problem `too-many-requests`
   */
  admit(address: string): void | Promise<void> {
    const verdict = this.buckets.spend(
      { bucket: 'address', holder: { address: networkOf(address) } },
      this.config.RATE_LIMIT_ADDRESS,
    );
    const judge = (known: Verdict): void => {
      if (!known.admitted) {
        throw tooMany('Too many requests came from your address', known);
      }
    };
    return verdict instanceof Promise ? verdict.then(judge) : judge(verdict);
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
    const key = { bucket: 'failures', holder: { address: networkOf(address) } };
    // Spent before, so that many at once cannot all begin with the last one.
    const verdict = await this.buckets.spend(key, this.config.RATE_LIMIT_FAILURES);
    if (!verdict.admitted) {
      throw tooMany('Too many wrong tokens came from your address', verdict);
    }
    try {
      const answer = await verification();
      this.buckets.giveBack(key);
      return answer;
    } catch (error) {
      if (!failed(error)) {
        this.buckets.giveBack(key);
      }
      throw error;
    }
  }
}
