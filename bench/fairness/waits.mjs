// How long a newcomer with a single job waits while workers go round the others.
import { randomUUID } from 'node:crypto';
import { claimAndEnd } from '../support/claimers.mjs';
import { queueJobs, TASK } from '../support/queue-jobs.mjs';

/**
 * @param {string} url @param {import('pg').Pool} pool
 * @param {{claimers: number, limit: number, newcomers: number, most: number}} options `most`: jobs of
 *   others after which it is given up
 * @returns {Promise<{jobs: number[], milliseconds: number[], missing: number}>} how many jobs of others
 *   started, and how much time passed, between a newcomer's submit and its start
 */
export async function waits(url, pool, { claimers, limit, newcomers, most }) {
  const waiting = new Map();
  const result = { jobs: [], milliseconds: [], missing: 0 };
  let total = 0;
  let come = 0;
  const welcome = async () => {
    if (come === newcomers) return;
    come += 1;
    const org = randomUUID();
    waiting.set(org, null);
    await queueJobs(pool, [org], 1);
    // Unless it was started before this was known here: then it has not waited.
    if (waiting.has(org)) waiting.set(org, { total, at: performance.now() });
  };
  await claimAndEnd(url, {
    claimers,
    limit,
    tasks: [TASK],
    goOn: () => total < most && (come < newcomers || waiting.size > 0),
    async onClaim(claimed) {
      total += claimed.length;
      for (const { orgId } of claimed.filter((job) => waiting.has(job.orgId))) {
        const since = waiting.get(orgId) ?? { total, at: performance.now() };
        waiting.delete(orgId);
        result.jobs.push(total - since.total);
        result.milliseconds.push(performance.now() - since.at);
      }
      await welcome();
    },
  });
  return { ...result, missing: waiting.size };
}
