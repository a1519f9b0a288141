// How long an idle system takes from an add to the start of the job.
import { setTimeout as sleep } from 'node:timers/promises';
import { now } from '../support/clock.mjs';

/** A job that has not started after this long is a failure, not a slow start. */
const PATIENCE_MS = 10_000;

/**
 * Adds jobs one after the other, each when the last has started and a pause is over.
 * @param {() => {added: Promise<unknown>, started: Promise<number>}} add `started` tells the moment
 *   at which the job's own code was called
 * @param {{count: number, pauseMs: number}} options pauses vary by half, so as not to meet a rhythm
 * @returns {Promise<number[]>} milliseconds
 */
export async function addToStart(add, { count, pauseMs }) {
  const waits = [];
  for (let turn = 0; turn < count; turn += 1) {
    await sleep(pauseMs * (0.75 + Math.random() / 2));
    const from = now();
    const { added, started } = add();
    const impatience = new AbortController();
    const [to] = await Promise.race([
      Promise.all([started, added]),
      sleep(PATIENCE_MS, undefined, { signal: impatience.signal }).then(() => {
        throw new Error('a job did not start');
      }),
    ]);
    impatience.abort();
    waits.push(to - from);
  }
  return waits;
}
