const ROWS_PER_STATEMENT = 100_000;
/** The organization that has most of the jobs, and the one that has a single one. */
export const LARGE = '00000000-0000-4000-8000-000000000000';
export const SINGLE = '00000000-0000-4000-8000-0000ffffffff';
const RESULTS = '{"message":"Slept 0.001 seconds in 1 naps","seconds":0.001,"steps":1}';

/**
 * Jobs as years of use leave them: four fifths are of one organization, the rest of 998 others and one of
 * another; of six tasks, one of which always fails; one in fifty failed, one in a hundred was canceled; every tenth has one of fifty
 * labels; 20,000 wait and 200 run.
 * @param {import('pg').Pool} pool @param {number} count
 */
export async function insertJobs(pool, count) {
  for (let at = 0; at < count; at += ROWS_PER_STATEMENT) {
    await pool.query(
      `WITH job AS MATERIALIZED (
         SELECT number, uuidv7(age) AS id, clock_timestamp() + age AS at,
           CASE WHEN number = 7 THEN $4::uuid WHEN number % 5 > 0 THEN $3::uuid
             ELSE ('00000000-0000-4000-8000-' || lpad((1 + number / 5 % 998)::text, 12, '0'))::uuid END AS org_id,
           CASE WHEN number % 50 = 3 AND number % 3 = 0 THEN 'task-broken'
             ELSE 'task-' || (number / 7) % 5 END AS task,
           CASE WHEN number % 250 = 1 THEN 'requested' WHEN number % 25000 = 2 THEN 'in progress'
             WHEN number % 50 = 3 THEN 'failed' WHEN number % 100 = 4 THEN 'canceled' ELSE 'succeeded' END AS status
         FROM generate_series($1::int, $2::int) AS number,
           LATERAL (SELECT (number - $6::int) * interval '5 seconds' AS age) AS aged
       ), labeled AS (
         INSERT INTO job_labels (job_id, org_id, name, value)
         SELECT id, org_id, 'project', 'p' || number / 10 % 50 FROM job WHERE number % 10 = 0
         UNION ALL SELECT id, org_id, 'batch', (number / 1000)::text FROM job WHERE number % 10 = 1
       ), queued AS (
         INSERT INTO job_queue (job_id, org_id, topic, task)
         SELECT id, org_id, 'geostatistics', task FROM job WHERE status = 'requested'
       ), leased AS (
         INSERT INTO job_leases (job_id, lease_id, worker_id, org_id, topic, task, attempt, failures, crashes)
         SELECT id, gen_random_uuid(), gen_random_uuid(), org_id, 'geostatistics', task, 1, 0, 0
         FROM job WHERE status = 'in progress'
       ), ended AS (
         INSERT INTO job_ends (job_id, org_id, status, progress, attempt, failures, crashes, error,
           started_at, ended_at, results, results_bytes)
         SELECT id, org_id, status, 100, 1, 0, 0,
           CASE WHEN status <> 'succeeded' THEN '{"status":500,"type":"urn:x","title":"A singular system."}'::json END,
           at, at + number % 600 * interval '1 second',
           CASE WHEN status = 'succeeded' THEN $5::json END,
           CASE WHEN status = 'succeeded' THEN octet_length($5::text) END
         FROM job WHERE status IN ('succeeded', 'failed', 'canceled')
       )
       INSERT INTO job_submissions (id, org_id, topic, task, created_at, parameters, parameters_bytes)
       SELECT id, org_id, 'geostatistics', task, at, '{}', 2 FROM job`,
      [at + 1, Math.min(at + ROWS_PER_STATEMENT, count), LARGE, SINGLE, RESULTS, count],
    );
  }
  await pool.query('VACUUM ANALYZE job_submissions, job_queue, job_leases, job_ends, job_labels');
}
