import fc from 'fast-check';
import type { Job, JobStatus } from 'headframe-client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { sleep } from '../../../packages/client/src/http/abort.js';
import { PollingFeed } from '../../../packages/client/src/follow/status-feed.js';

const job: Job = { task: 'diagnostics/sleep', id: '019a0b5c-7d2e-7f31-8a44-5b6c7d8e9f00' };
const ongoing: JobStatus = {
  status: 'in progress',
  progress: 0,
  links: { cancel: 'https://headframe.example' },
};

/** The moments, in milliseconds, at which the first looks at a job come. */
async function looksAt(count: number, retryAfterSeconds: number | null): Promise<number[]> {
  const moments: number[] = [];
  const started = Date.now();
  const feed = new PollingFeed(async () => {
    moments.push(Date.now() - started);
    return { status: ongoing, hasEnded: moments.length === count, retryAfterSeconds };
  });
  const reading = (async () => {
    for await (const _ of feed.follow(job, undefined));
  })();
  await vi.runAllTimersAsync();
  await reading;
  return moments;
}

describe('the status is polled', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('as often as the service asks for, after a few quick looks for short jobs', async () => {
    const moments = await looksAt(6, 5);
    expect(moments.slice(0, 4)).toEqual([0, 100, 300, 700]);
    for (const index of [4, 5]) {
      const pause = moments[index]! - moments[index - 1]!;
      expect(pause).toBeGreaterThanOrEqual(5_000);
      expect(pause).toBeLessThanOrEqual(5_500);
    }
  });

  it('every second when it says nothing, and never without a pause, whatever it says', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.option(fc.oneof(fc.double({ min: 0, noNaN: true }), fc.integer({ min: 0, max: 5 }))),
        async (retryAfter) => {
          const moments = await looksAt(8, retryAfter);
          const pauses = moments.slice(1).map((moment, index) => moment - moments[index]!);
          expect(Math.min(...pauses)).toBeGreaterThanOrEqual(100);
          // Timers reach no further than 24 days.
          const most = Math.min((retryAfter ?? 1) * 1_100, 2 ** 31);
          expect(Math.max(...pauses)).toBeLessThanOrEqual(Math.max(most, 400));
        },
      ),
      { numRuns: 50 },
    );
  });

  it('no longer than its reader reads', async () => {
    let looks = 0;
    const feed = new PollingFeed(async () => {
      looks += 1;
      return { status: ongoing, hasEnded: false, retryAfterSeconds: 1 };
    });
    for await (const _ of feed.follow(job, undefined)) break;
    await vi.runAllTimersAsync();
    expect(looks).toBe(1);
  });
});

it('a wait leaves nothing behind on the signal of its caller', async () => {
  const { signal } = new AbortController();
  const listeners = { added: 0, removed: 0 };
  const add = vi.spyOn(signal, 'addEventListener').mockImplementation(() => {
    listeners.added += 1;
  });
  const remove = vi.spyOn(signal, 'removeEventListener').mockImplementation(() => {
    listeners.removed += 1;
  });
  await sleep(1, signal);
  expect([add.mock.calls[0]?.[1], listeners]).toEqual([
    remove.mock.calls[0]?.[1],
    { added: 1, removed: 1 },
  ]);
});
