// A queue as a large customer leaves it: one organization with very many jobs, thousands with a few.
import { randomUUID } from 'node:crypto';

const ROWS_PER_STATEMENT = 50_000;
export const TASK = { topic: 'diagnostics', name: 'sleep' };

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
  await pool.query('VACUUM ANALYZE jobs, job_parameters');
  await pool.query('CHECKPOINT');
  return large;
}

/** @param {string[]} orgIds between which the jobs are dealt, one by one */
export async function queueJobs(pool, orgIds, count) {
  for (let at = 0; at < count; at += ROWS_PER_STATEMENT) {
    await pool.query(
      `WITH job AS MATERIALIZED (
         SELECT uuidv7() AS id, ($1::uuid[])[1 + number % cardinality($1::uuid[])] AS org_id
         FROM generate_series($2::int, $3::int) AS number
       ), kept AS (
         INSERT INTO job_parameters (job_id, org_id, parameters)
         SELECT id, org_id, '{"seconds":0,"steps":1}' FROM job
       )
       INSERT INTO jobs (id, org_id, topic, task) SELECT id, org_id, $4, $5 FROM job`,
      [orgIds, at, Math.min(at + ROWS_PER_STATEMENT, count) - 1, TASK.topic, TASK.name],
    );
  }
}
