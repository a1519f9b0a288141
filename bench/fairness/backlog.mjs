// A queue as a large customer leaves it: one organization with very many jobs, thousands with a few.
import { randomUUID } from 'node:crypto';
import { JOB_TABLES, queueJobs } from '../support/queue-jobs.mjs';

/**
 * Queues the jobs, the large organization's first: they are the oldest.
 * @param {import('pg').Pool} pool
 * @param {{whale: number, small: number, each: number}} size
 * @returns {Promise<string>} the large organization
 */
export async function fillBacklog(pool, { whale, small, each }) {
  const large = randomUUID();
  const others = Array.from({ length: small }, () => randomUUID());
  await queueJobs(pool, [large], whale);
  await queueJobs(pool, others, small * each);
  await pool.query(`VACUUM ANALYZE ${JOB_TABLES}`);
  await pool.query('CHECKPOINT');
  return large;
}
