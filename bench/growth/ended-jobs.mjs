const ROWS_PER_STATEMENT = 100_000;
const ORGANIZATIONS = 1_000;

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
       ), asked AS (
         INSERT INTO job_parameters (job_id, org_id, parameters)
         SELECT id, org_id, '{"seconds":0,"steps":1}' FROM job
       ), kept AS (
         INSERT INTO job_results (job_id, org_id, results)
         SELECT id, org_id, '{"message":"Slept 0.001 seconds in 1 naps","seconds":0.001,"steps":1}'
         FROM job WHERE NOT failed
       )
       INSERT INTO jobs (id, org_id, topic, task, status, progress, attempt, failures, error,
         created_at, started_at, ended_at)
       SELECT id, org_id, 'diagnostics', 'sleep', CASE WHEN failed THEN 'failed' ELSE 'succeeded' END,
         100, 1, failed::int, CASE WHEN failed THEN '{"status":500,"title":"Broken."}'::json END,
         at, at, at
       FROM job`,
      [at + 1, Math.min(at + ROWS_PER_STATEMENT, count), ORGANIZATIONS],
    );
  }
  await pool.query('VACUUM ANALYZE jobs, job_parameters, job_results');
}
