import { JOB_TABLES, PARAMETERS, TASK } from '../support/queue-jobs.mjs';

const ROWS_PER_STATEMENT = 100_000;
const ORGANIZATIONS = 1_000;
const RESULTS = '{"message":"Slept 0.001 seconds in 1 naps","seconds":0.001,"steps":1}';

/**
 * Inserts ended jobs with their parameters and results, as months of use would have left them: ids in
 * order of time, a thousand organizations, one in twenty failed.
 * @param {import('pg').Pool} pool @param {number} count
 */
export async function insertEnded(pool, count) {
  for (let at = 0; at < count; at += ROWS_PER_STATEMENT) {
    await pool.query(
      `WITH job AS MATERIALIZED (
         SELECT uuidv7(age) AS id, clock_timestamp() + age AS at, number % 20 = 0 AS failed,
           ('00000000-0000-4000-8000-' || lpad((number % $3)::text, 12, '0'))::uuid AS org_id
         FROM generate_series($1::int, $2::int) AS number,
           LATERAL (SELECT (number - 2e7) * interval '1 second' AS age) AS aged
       ), ended AS (
         INSERT INTO job_ends (job_id, org_id, status, progress, attempt, failures, crashes, error,
           started_at, ended_at, results, results_bytes)
         SELECT id, org_id, CASE WHEN failed THEN 'failed' ELSE 'succeeded' END, 100, 1, failed::int, 0,
           CASE WHEN failed THEN '{"status":500,"title":"Broken."}'::json END, at, at,
           CASE WHEN NOT failed THEN $4::json END, CASE WHEN NOT failed THEN octet_length($4::text) END
         FROM job
       )
       INSERT INTO job_submissions (id, org_id, topic, task, created_at, parameters, parameters_bytes)
       SELECT id, org_id, $5, $6, at, $7::json, octet_length($7::text) FROM job`,
      [
        at + 1,
        Math.min(at + ROWS_PER_STATEMENT, count),
        ORGANIZATIONS,
        RESULTS,
        TASK.topic,
        TASK.name,
        PARAMETERS,
      ],
    );
  }
  await pool.query(`VACUUM ANALYZE ${JOB_TABLES}`);
}
