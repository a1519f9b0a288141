import { randomUUID } from 'node:crypto';
import type { PoolClient } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ClaimedJob } from '../../src/jobs/lease/lease.store.js';
import type { JobKey } from '../../src/jobs/job/job.js';
import { ADVISORY_LOCKS } from '../../src/platform/database/advisory-locks.js';
import { Engine, TASK } from '../support/jobs.js';

/** Claims of all claimers together in one race. */
const CLAIMS = 400;
const CLAIMERS = 4;
const GATE = 77;

/** Claims that meet each other, or are held up halfway while something else happens. */
describe('a claim in a race', () => {
  let engine: Engine;
  let workers: string[];

  beforeAll(async () => {
    engine = await Engine.open();
    workers = await Promise.all(Array.from({ length: CLAIMERS }, () => engine.register()));
  });
  afterAll(() => engine?.close());
  beforeEach(async () => {
    await engine.owner.query(
      'TRUNCATE job_submissions, job_queue, job_leases, job_ends, organization_limits, task_limits',
    );
  });

  const query = (sql: string, values: unknown[] = []) => engine.owner.query(sql, values);
  const capOrganization = (orgId: string) =>
    query('INSERT INTO organization_limits (org_id, max_running) VALUES ($1, 1)', [orgId]);
  const capTask = () =>
    query('INSERT INTO task_limits VALUES ($1, $2, 1)', [TASK.topic, TASK.name]);

  async function running(): Promise<number> {
    const { rows } = await query('SELECT count(*)::int AS running FROM job_leases');
    return rows[0].running;
  }

  /** All workers claim, look how many run, and hand back. @returns the most that ran at once */
  async function race(): Promise<number> {
    let claims = 0;
    let most = 0;
    await Promise.all(
      workers.map(async (workerId) => {
        while (claims < CLAIMS) {
          claims += 1;
          const claimed = await engine.claim(workerId, 2);
          if (claimed.length > 0) {
            most = Math.max(most, await running());
            await Promise.all(claimed.map((job) => engine.leases.release(job)));
          }
        }
      }),
    );
    return most;
  }

  it('keeps the cap of an organization, with many workers claiming', async () => {
    const org = randomUUID();
    await capOrganization(org);
    await Promise.all(Array.from({ length: 20 }, () => engine.submit(org)));
    expect(await race()).toBe(1);
  });

  it('keeps the cap of a task, with many workers claiming', async () => {
    await capTask();
    await Promise.all(Array.from({ length: 20 }, () => engine.submit()));
    expect(await race()).toBe(1);
  });

  it.each(['organization_limits', 'task_limits'] as const)(
    'counts what started while it was reading %s',
    async (limits) => {
      const org = randomUUID();
      await (limits === 'task_limits' ? capTask() : capOrganization(org));
      const [first] = [await engine.submit(org), await engine.submit(org)];
      const claimed = await claimHeldUpAt(limits, workers[0] as string, (other) =>
        startAsAnotherWorker(other, first),
      );
      expect(claimed).toEqual([]);
      expect(await running()).toBe(1);
    },
  );

  it('counts what another claim of the organization starts at the same time', async () => {
    const org = randomUUID();
    await capOrganization(org);
    const [first] = [await engine.submit(org), await engine.submit(org)];
    const other = await engine.owner.connect();
    try {
      await other.query('BEGIN');
      await other.query(
        `SELECT pg_advisory_xact_lock(${ADVISORY_LOCKS.organization}, hashtext($1))`,
        [org],
      );
      await startAsAnotherWorker(other, first);
      // It does not wait: it is told to come again. Whoever makes it wait sees whether it still counts.
      let answered = false;
      const claim = engine.claim(workers[0] as string, 2).finally(() => (answered = true));
      await untilSomebodyWaits('advisory', () => answered);
      await other.query('COMMIT');
      expect(await claim).toEqual([]);
    } finally {
      other.release(true);
    }
    expect(await running()).toBe(1);
  });

  it('starts no job that is canceled meanwhile', async () => {
    const key = await engine.submit();
    const other = await engine.owner.connect();
    try {
      await other.query('BEGIN');
      await other.query(`SELECT * FROM cancel_job($1, $2, $3, $4, '{}')`, [
        key.jobId,
        key.orgId,
        key.topic,
        key.task,
      ]);
      let answered = false;
      const claim = engine.claim(workers[0] as string).finally(() => (answered = true));
      await untilSomebodyWaits('transactionid', () => answered);
      await other.query('COMMIT');
      expect(await claim).toEqual([]);
    } finally {
      other.release(true);
    }
    expect((await engine.row(key.jobId)).status).toBe('canceled');
  });

  it('is not passed over when jobs are tended: no job is left with a worker that is gone', async () => {
    const key = await engine.submit();
    await engine.limits.setOrganization(key.orgId, {});
    const silent = await engine.register();
    const [job] = await claimHeldUpAt('organization_limits', silent, () =>
      engine.loseWorker(silent),
    );
    expect(await engine.row(key.jobId)).toMatchObject({ lease_id: job?.leaseId });
    await engine.loseWorker(silent);
    expect(await engine.row(key.jobId)).toMatchObject({ status: 'requested', crashes: 1 });
  });

  /** Claims; when it comes to read these limits, does something else first. */
  async function claimHeldUpAt(
    limits: 'organization_limits' | 'task_limits',
    workerId: string,
    meanwhile: (connection: PoolClient) => Promise<unknown>,
  ): Promise<readonly ClaimedJob[]> {
    await gate(limits);
    const other = await engine.owner.connect();
    try {
      await other.query('SELECT pg_advisory_lock($1)', [GATE]);
      const claim = engine.claim(workerId, 2);
      await untilSomebodyWaits('advisory');
      await meanwhile(other);
      await other.query('SELECT pg_advisory_unlock($1)', [GATE]);
      return await claim;
    } finally {
      other.release(true);
      await ungate(limits);
    }
  }

  /** What a claim does between its lock and its commit. */
  const startAsAnotherWorker = (connection: PoolClient, { jobId }: JobKey) =>
    connection.query(
      `WITH taken AS (DELETE FROM job_queue WHERE job_id = $1 RETURNING *)
       INSERT INTO job_leases (job_id, lease_id, worker_id, org_id, topic, task, attempt, failures, crashes)
       SELECT job_id, gen_random_uuid(), $2, org_id, topic, task, 1, failures, crashes FROM taken`,
      [jobId, workers[1]],
    );

  /**
   * Whoever reads a cap waits while the gate is shut: the statement that reads it has begun, and has
   * its snapshot. It sees all columns, since SQL function effective_limits answers whole rows. A claim
   * first asks whether any task has a cap at all: that one passes.
   */
  const gate = (limits: string) =>
    query(`
      CREATE SEQUENCE gate_passes;
      CREATE FUNCTION pass_gate(value int) RETURNS int LANGUAGE plpgsql VOLATILE AS $$
      BEGIN
        IF nextval('gate_passes') > ${limits === 'task_limits' ? 1 : 0} THEN
          PERFORM pg_advisory_xact_lock_shared(${GATE});
        END IF;
        RETURN value;
      END $$;
      ALTER TABLE ${limits} RENAME TO kept_limits;
      DO $$ BEGIN
        EXECUTE 'CREATE VIEW ${limits} AS SELECT ' || (
          SELECT string_agg(CASE attname WHEN 'max_running' THEN 'pass_gate(max_running) AS ' ELSE '' END || attname,
            ', ' ORDER BY attnum)
          FROM pg_attribute WHERE attrelid = 'kept_limits'::regclass AND attnum > 0 AND NOT attisdropped
        ) || ' FROM kept_limits';
      END $$;
      GRANT SELECT ON ${limits} TO headframe_worker;
      GRANT USAGE ON SEQUENCE gate_passes TO headframe_worker`);

  const ungate = (limits: string) =>
    query(`
      DROP VIEW ${limits};
      ALTER TABLE kept_limits RENAME TO ${limits};
      DROP FUNCTION pass_gate;
      DROP SEQUENCE gate_passes`);

  async function untilSomebodyWaits(
    lock: 'advisory' | 'transactionid',
    or = () => false,
  ): Promise<void> {
    const somebodyWaits = async () => {
      const { rows } = await query(
        `SELECT 1 FROM pg_locks JOIN pg_stat_activity activity USING (pid)
         WHERE locktype = $1 AND NOT granted AND datname = current_database()`,
        [lock],
      );
      return rows.length > 0 || or();
    };
    await expect.poll(somebodyWaits, { timeout: 10_000, interval: 10 }).toBe(true);
  }
});
