import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  applyMigrations,
  MIGRATIONS_DIRECTORY,
} from '../../src/platform/database/schema/migrations.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { Engine } from '../support/jobs.js';

const MIGRATION = '20261127020000_job_queue';
const MIGRATE = fileURLToPath(new URL('../../dist/cli/migrate.js', import.meta.url));
/** A million in a minute or so: HEADFRAME_MIGRATION_JOBS=1000000 npx vitest run test/jobs/queue-migration.test.ts */
const JOBS = Number(process.env.HEADFRAME_MIGRATION_JOBS ?? 2_000);

/** One in four each: waiting (some delayed, some expiring), running (some canceling), ended in each way. */
const OLD_JOBS = `
  WITH job AS MATERIALIZED (
    SELECT gen_random_uuid() AS id, n, n % 4 AS kind, gen_random_uuid() AS worker,
      ('00000000-0000-4000-8000-' || lpad((n % 7)::text, 12, '0'))::uuid AS org
    FROM generate_series(1, ${JOBS}) AS n
  ), asked AS (
    INSERT INTO job_parameters (job_id, org_id, parameters, bytes) SELECT id, org, '{"seconds":0}', 13 FROM job
  ), answered AS (
    INSERT INTO job_results (job_id, org_id, results, bytes) SELECT id, org, '{"n":1}', 7 FROM job WHERE kind = 2
  )
  INSERT INTO jobs (id, org_id, topic, task, status, priority, progress, message, attempt, max_attempts, failures,
    crashes, timeout_seconds, run_after, expires_at, lease_id, worker_id, error, started_at, ended_at)
  SELECT id, org, 'diagnostics', 'sleep',
    CASE kind WHEN 0 THEN 'requested' WHEN 1 THEN CASE WHEN n % 3 = 0 THEN 'canceling' ELSE 'in progress' END
      WHEN 2 THEN 'succeeded' ELSE CASE WHEN n % 3 = 0 THEN 'canceled' ELSE 'failed' END END,
    n % 5, CASE kind WHEN 0 THEN 0 ELSE n % 100 END, CASE WHEN kind > 0 AND n % 2 = 0 THEN 'half' END,
    CASE WHEN kind = 0 AND n % 8 = 0 THEN 0 ELSE 2 END, 3,
    CASE WHEN kind = 0 AND n % 8 = 0 THEN 0 ELSE 1 END, 0, CASE WHEN n % 2 = 0 THEN 60 END,
    CASE WHEN kind = 0 AND n % 16 = 4 THEN clock_timestamp() + interval '1 hour' END,
    CASE WHEN kind = 0 AND n % 16 = 8 THEN clock_timestamp() + interval '1 day' END,
    CASE kind WHEN 1 THEN gen_random_uuid() END,
    CASE WHEN kind = 0 AND n % 8 = 0 THEN NULL ELSE worker END,
    CASE kind WHEN 3 THEN '{"status":500}'::json END,
    CASE WHEN kind = 0 AND n % 8 = 0 THEN NULL ELSE clock_timestamp() END,
    CASE WHEN kind > 1 THEN clock_timestamp() END
  FROM job`;

/** All jobs as the table showed them, and the view does: one hash of each row, in order. */
const FACTS = `
  SELECT md5(string_agg(md5(job::text), '' ORDER BY id)) AS all_of_them, count(*)::int AS count FROM (
    SELECT id, org_id, topic, task, status, priority, progress, message, attempt, max_attempts, failures, crashes,
      timeout_seconds, run_after, expires_at, lease_id, worker_id, error::text, created_at, started_at, ended_at
    FROM jobs) job`;

describe('the migration that takes the queue out of the row', () => {
  let database: TestDatabase;
  let owner: pg.Client;
  let before: string;

  beforeEach(async () => {
    database = await createTestDatabase('empty');
    before = await mkdtemp(join(tmpdir(), 'headframe-migrations-'));
    for (const name of await readdir(MIGRATIONS_DIRECTORY)) {
      if (name < MIGRATION || name === 'migration_lock.toml') {
        await cp(join(MIGRATIONS_DIRECTORY, name), join(before, name), { recursive: true });
      }
    }
    await migrate(before);
    owner = new pg.Client(database.url);
    await owner.connect();
    await owner.query(OLD_JOBS);
  }, 600_000);
  afterEach(async () => {
    await owner.end();
    await rm(before, { recursive: true });
    await database.drop();
  });

  const migrate = (directory?: string) =>
    applyMigrations({
      connectionString: database.url,
      log: () => undefined,
      ...(directory !== undefined && { directory }),
    });
  const facts = async () => (await owner.query(FACTS)).rows[0];

  it('moves every job, and changes none', async () => {
    const old = await facts();
    expect(old.count).toBe(JOBS);
    const from = performance.now();
    await migrate();
    if (JOBS > 100_000) {
      console.log(`${JOBS} jobs were moved in ${Math.round(performance.now() - from)} ms`);
    }
    expect(await facts()).toEqual(old);
    const { rows } = await owner.query(
      `SELECT (SELECT count(*) FROM job_queue)::int AS waiting, (SELECT count(*) FROM job_leases)::int AS running,
         (SELECT count(*) FROM job_ends)::int AS ended`,
    );
    expect(rows).toEqual([{ waiting: JOBS / 4, running: JOBS / 4, ended: JOBS / 2 }]);
  }, 600_000);

  it('leaves jobs that run on: those that wait are claimed, those of workers that are gone taken back', async () => {
    await migrate();
    const engine = Engine.on(database.url);
    try {
      const workerId = await engine.register();
      const { rows } = await owner.query(
        `SELECT job_id AS "jobId", lease_id AS "leaseId" FROM job_leases WHERE NOT canceling LIMIT 1`,
      );
      expect(await engine.leases.succeed({ ...rows[0], message: null, results: '{}' })).toBe(
        'succeeded',
      );
      const [job] = await engine.claim(workerId, 1);
      expect(job?.parameters ?? (await engine.claims.parameters(job?.jobId as string))).toBe(
        '{"seconds":0}',
      );
      const ended = await owner.query(
        `SELECT id AS "jobId", org_id AS "orgId", topic, task FROM jobs
         WHERE status = 'succeeded' AND id IN (SELECT job_id FROM job_results) LIMIT 1`,
      );
      expect(await engine.states.findResults(ended.rows[0])).toMatchObject({ results: '{"n":1}' });
    } finally {
      await engine.close();
    }
  }, 600_000);

  it('that is killed in the middle has changed nothing, and is done by the next start', async () => {
    const old = await facts();
    const other = new pg.Client(database.url);
    await other.connect();
    await other.query('BEGIN; LOCK TABLE job_results IN ACCESS SHARE MODE');
    const child = spawn(process.execPath, [MIGRATE], {
      env: { PATH: process.env.PATH, DATABASE_URL: database.url },
      stdio: 'ignore',
    });
    const ended = once(child, 'exit');
    const waits = async () => {
      const { rows } = await owner.query(
        `SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'job_results'::regclass`,
      );
      return rows.length;
    };
    await expect.poll(waits, { timeout: 60_000 }).toBe(1);
    child.kill('SIGKILL');
    await ended;
    await other.end();
    await expect.poll(waits, { timeout: 60_000 }).toBe(0);
    expect(await facts()).toEqual(old);
    expect((await owner.query(`SELECT to_regclass('job_queue') AS made`)).rows).toEqual([
      { made: null },
    ]);
    await migrate();
    expect(await facts()).toEqual(old);
  }, 600_000);
});
