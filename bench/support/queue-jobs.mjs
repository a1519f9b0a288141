// Jobs of a task that does next to nothing, put into the queue by SQL.

/** The tables that a job is in, for statements that empty or vacuum them. */
export const JOB_TABLES = 'job_submissions, job_queue, job_leases, job_ends';

const ROWS_PER_STATEMENT = 50_000;
export const TASK = { topic: 'diagnostics', name: 'sleep' };
/** As near to nothing as the service's tasks come: no wait, and one progress report. */
export const PARAMETERS = '{"seconds":0,"steps":1}';

/**
 * @param {import('pg').Pool} pool
 * @param {string[]} orgIds between which the jobs are dealt, one by one
 * @param {number} count
 */
export async function queueJobs(pool, orgIds, count) {
  for (let at = 0; at < count; at += ROWS_PER_STATEMENT) {
    await pool.query(
      `WITH job AS MATERIALIZED (
         SELECT uuidv7() AS id, ($1::uuid[])[1 + number % cardinality($1::uuid[])] AS org_id
         FROM generate_series($2::int, $3::int) AS number
       ), queued AS (
         INSERT INTO job_queue (job_id, org_id, topic, task) SELECT id, org_id, $4, $5 FROM job
       )
       INSERT INTO job_submissions (id, org_id, topic, task, parameters, parameters_bytes)
       SELECT id, org_id, $4, $5, $6::json, octet_length($6::text) FROM job`,
      [orgIds, at, Math.min(at + ROWS_PER_STATEMENT, count) - 1, TASK.topic, TASK.name, PARAMETERS],
    );
  }
}
