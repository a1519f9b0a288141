// How fast worker processes empty a queue that was filled before they began.
import { setTimeout as sleep } from 'node:timers/promises';

/** A drain that takes longer ends here; its rate is that of the jobs done until then. */
const MAX_MS = 30_000;
const POLL_MS = 25;
/** Towards the end, where the last completion is seen by polling. */
const LAST_POLL_MS = 3;

/**
 * @param {object} queue an opened system
 * @param {() => Promise<object>} start starts a worker process, ready to be told to take jobs
 * @param {{jobs: number, processes: number, maxMs?: number, costs?: Awaited<ReturnType<typeof import('../support/costs.mjs').costsOf>>}} options
 * @returns {Promise<{rate: number, memory: number | null, costs?: import('../support/costs.mjs').Costs}>} jobs a
 *   second from the first claim to the last completion, the peak of memory of the largest worker in MB, and
 *   what a job cost
 */
export async function drain(queue, start, { jobs, processes, costs, maxMs = MAX_MS }) {
  await queue.fill(jobs);
  await queue.hold?.();
  const workers = await Promise.all(Array.from({ length: processes }, start));
  try {
    await costs?.begin(workers);
    const began = performance.now();
    await Promise.all([queue.release?.(), ...workers.map((worker) => worker.tell?.('drain'))]);
    const told = () => workers.reduce((sum, { count }) => sum + (count ?? Infinity), 0);
    let busy = true;
    while (busy && performance.now() - began < maxMs) {
      await sleep(told() === Infinity || told() < jobs ? POLL_MS : LAST_POLL_MS);
      busy = told() < jobs || (await queue.busy());
    }
    const seenDone = Date.now();
    const cost = await costs?.end(jobs);
    const claims = workers.flatMap(({ claimedAt }) => claimedAt ?? []);
    const { done, from, to } = await queue.tally(jobs, {
      firstClaim: Math.min(...claims),
      seenDone,
    });
    if (!busy && done !== jobs) throw new Error(`${done} of ${jobs} jobs are done`);
    return {
      rate: (1_000 * done) / (to - from),
      memory: Math.max(...workers.map((worker) => worker.peakMemory())),
      costs: cost,
    };
  } finally {
    await Promise.all(workers.map((worker) => worker.stop()));
  }
}
