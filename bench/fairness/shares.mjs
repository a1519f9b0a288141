// Who gets how much while all organizations have jobs, and what a claim takes meanwhile.
import { claimAndEnd } from '../support/claimers.mjs';
import { TASK } from '../support/queue-jobs.mjs';
import { percentile } from '../support/statistics.mjs';

/**
 * @param {string} url @param {string} whale the large organization
 * @param {{claimers: number, limit: number, jobs: number, organizations: number}} options
 * @returns {Promise<{share: number, p50: number, p99: number, rate: number, served: number}>} the large
 *   one's jobs divided by its equal part, milliseconds of a claim, jobs a second, organizations served
 */
export async function shares(url, whale, { claimers, limit, jobs, organizations }) {
  const took = [];
  const started = new Map();
  let total = 0;
  const from = performance.now();
  await claimAndEnd(url, {
    claimers,
    limit,
    tasks: [TASK],
    goOn: () => total < jobs,
    onClaim(claimed, milliseconds) {
      took.push(milliseconds);
      total += claimed.length;
      for (const { orgId } of claimed) started.set(orgId, (started.get(orgId) ?? 0) + 1);
    },
  });
  return {
    share: (started.get(whale) ?? 0) / (total / organizations),
    p50: percentile(took, 50),
    p99: percentile(took, 99),
    rate: total / ((performance.now() - from) / 1_000),
    served: started.size,
  };
}
