import { describe, expect, it } from 'vitest';
import type { Ask, Grant } from '../../src/platform/rate-limit/bucket.store.js';
import { HELD_MS, RateLimiter, type Verdict } from '../../src/platform/rate-limit/rate-limiter.js';
import { networkOf } from '../../src/platform/rate-limit/network-of.js';

const KEY = { bucket: 'polls', holder: { orgId: 'a' } } as const;

/** A shared bucket as the database keeps one, by a clock that the test turns. */
class SharedBucket {
  time = 0;
  statements = 0;
  away = false;
  private level: number;
  private filledAt = 0;

  constructor(readonly perMinute: number) {
    this.level = perMinute;
  }

  readonly take = ({ tokens }: Ask): Promise<Grant> => {
    this.statements += 1;
    if (this.away) {
      return Promise.reject(new Error('away'));
    }
    this.level = Math.min(
      this.perMinute,
      this.level + ((this.time - this.filledAt) * this.perMinute) / 60_000,
    );
    this.filledAt = this.time;
    const given = Math.min(
      tokens,
      Math.max(1, Math.floor(this.perMinute / 20)),
      Math.floor(this.level),
    );
    this.level -= given;
    return Promise.resolve({ tokens: given, left: this.level, perMinute: this.perMinute });
  };

  replica(): RateLimiter {
    return new RateLimiter(this.take, undefined, () => this.time);
  }
}

const admitted = async (
  limiter: RateLimiter,
  times: number,
  perMinute: number,
): Promise<number> => {
  let count = 0;
  for (let index = 0; index < times; index += 1) {
    count += (await limiter.spend(KEY, perMinute)).admitted ? 1 : 0;
  }
  return count;
};

describe('the rate limiter', () => {
  it('keeps three greedy replicas together within what the bucket held and what ran in', async () => {
    const bucket = new SharedBucket(1_200);
    const replicas = [bucket.replica(), bucket.replica(), bucket.replica()];
    const perTick: number[] = [];
    for (; bucket.time < 90_000; bucket.time += 100) {
      let count = 0;
      for (const replica of replicas) {
        count += await admitted(replica, 30, 1_200);
      }
      perTick.push(count);
    }
    const sum = (from: number, to: number) => perTick.slice(from, to).reduce((a, b) => a + b, 0);
    for (const ticks of [1, 10, 100, 600]) {
      const bound = 1_200 + (1_200 / 60_000) * (ticks * 100 + HELD_MS);
      for (let from = 0; from + ticks <= perTick.length; from += 1) {
        expect(sum(from, from + ticks)).toBeLessThanOrEqual(bound);
      }
    }
    // And the limit is given out: not much of what was taken ahead is lost.
    expect(sum(300, 900)).toBeGreaterThan(0.9 * 1_200);
  });

  it('admits from memory: a busy client costs a statement every few seconds', async () => {
    const bucket = new SharedBucket(60_000);
    const replica = bucket.replica();
    await replica.spend(KEY, 60_000);
    const before = bucket.statements;
    let late = 0;
    for (let index = 0; index < 20_000; index += 1) {
      bucket.time += 2;
      const verdict = replica.spend(KEY, 60_000);
      late += verdict instanceof Promise ? 1 : 0;
      expect((await verdict).admitted).toBe(true);
    }
    expect(bucket.statements - before).toBeLessThan(40);
    expect(late).toBeLessThan(10);
  });

  it('serves those who wait together with one statement', async () => {
    const bucket = new SharedBucket(1_000);
    const replica = bucket.replica();
    const verdicts = await Promise.all(
      Array.from({ length: 40 }, () => Promise.resolve(replica.spend(KEY, 1_000))),
    );
    expect(verdicts.every((verdict: Verdict) => verdict.admitted)).toBe(true);
    expect(bucket.statements).toBeLessThanOrEqual(4);
  });

  it('refuses from memory too, until there is a token again', async () => {
    const bucket = new SharedBucket(60);
    const replica = bucket.replica();
    expect(await admitted(replica, 1_000, 60)).toBe(60);
    const before = bucket.statements;
    const refused = replica.spend(KEY, 60);
    expect(refused).toMatchObject({ admitted: false, perMinute: 60, remaining: 0, seconds: 1 });
    expect(bucket.statements).toBe(before);
    bucket.time += 1_000;
    expect(await replica.spend(KEY, 60)).toMatchObject({ admitted: true });
  });

  it('goes by the limit for itself while the database is away, and asks it again soon', async () => {
    const bucket = new SharedBucket(60);
    const replica = bucket.replica();
    await replica.spend(KEY, 60);
    const before = bucket.statements;
    bucket.away = true;
    bucket.time += HELD_MS;
    expect(await admitted(replica, 1_000, 60)).toBe(60);
    expect(bucket.statements).toBe(before + 1);
    bucket.away = false;
    bucket.time += 2_000;
    expect((await replica.spend(KEY, 60)).admitted).toBe(true);
    expect(bucket.statements).toBeGreaterThan(before + 1);
  });

  it('gives no new minute’s tokens to each outage of a database that comes and goes', async () => {
    const bucket = new SharedBucket(60);
    const limiter = bucket.replica();
    let count = 0;
    for (let outage = 0; outage < 10; outage += 1) {
      bucket.away = true;
      count += await admitted(limiter, 100, 60);
      bucket.time += 3_000;
      bucket.away = false;
      count += await admitted(limiter, 100, 60);
      bucket.time += 3_000;
    }
    // Two buckets, the shared one and its own, and what ran into each in a minute.
    expect(count).toBeLessThanOrEqual(2 * (60 + 60) + HELD_MS / 1_000);
  });

  it('takes back what was spent for nothing', async () => {
    const replica = new SharedBucket(60).replica();
    for (let index = 0; index < 500; index += 1) {
      expect((await replica.spend(KEY, 60)).admitted).toBe(true);
      replica.giveBack(KEY);
    }
  });

  it('knows no limit as a limit of none', async () => {
    const bucket = new SharedBucket(0);
    expect(await admitted(bucket.replica(), 10_000, 0)).toBe(10_000);
    expect(bucket.statements).toBe(1);
  });
});

describe('the network of an address', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8:1:2::9', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['64:ff9b::192.0.2.7', '64:ff9b:0:0::/64'],
  ])('%s is %s', (address, network) => {
    expect(networkOf(address)).toBe(network);
  });
});
