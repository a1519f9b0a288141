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

const DELETED_AT_ONCE = 5_000;

/**
 * What retention and vacuum do to a full database: the oldest twentieth is deleted, as retention does it, and the two
 * tables that keep ended jobs are vacuumed, without the pauses that autovacuum makes.
 * @param {import('pg').Pool} pool @param {number} count how many ended jobs there are
 * @returns {Promise<[string, number][]>} what, and how many seconds it took
 */
export async function thinOut(pool, count) {
  const seconds = async (work) => {
    const began = performance.now();
    await work();
    return (performance.now() - began) / 1_000;
  };
  const vacuum = () => pool.query('VACUUM job_submissions, job_ends');
  let after = '00000000-0000-0000-0000-000000000000';
  const deleting = await seconds(async () => {
    for (let left = count / 20; left > 0; left -= DELETED_AT_ONCE) {
      const { rows } = await pool.query(
        `WITH oldest AS MATERIALIZED (
           SELECT array_agg(id) AS ids FROM (
             SELECT id FROM job_submissions WHERE id > $1 ORDER BY id LIMIT $2) AS picked
         )
         SELECT ids[cardinality(ids)] AS last, delete_ended_jobs(ids) FROM oldest`,
        [after, Math.min(left, DELETED_AT_ONCE)],
      );
      after = rows[0].last;
    }
  });
  return [
    [`deleting the oldest ${(count / 20).toLocaleString('en')}`, deleting],
    ['vacuum behind that', await seconds(vacuum)],
    ['vacuum again, with nothing to do', await seconds(vacuum)],
  ];
}
