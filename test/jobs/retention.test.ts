import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { v7 as uuidv7 } from 'uuid';
import { JobLogsStore } from '../../src/jobs/logs/logs.store.js';
import type { JobStatus } from '../../src/jobs/job/job-status.js';
import { type JobKey, NO_OPTIONS } from '../../src/jobs/job/job.js';
import { NIL_UUID } from '../../src/platform/ids/uuid.js';
import { RetentionStore } from '../../src/jobs/care/retention.store.js';
import { ACTOR, Engine, PROBLEM, TASK } from '../support/jobs.js';
import { believedBytes, countedBytes } from '../support/stored-bytes.js';

const DAY_MS = 86_400_000;
const PAUSE_SECONDS = 600;

/** Too long for a row of a job: it is kept in a table of its own. */
const LARGE = 'x'.repeat(5_000);

describe('retention', () => {
  let engine: Engine;
  let retention: RetentionStore;
  /**
   * Every table that holds something of a job, as the database itself tells, but for two that have
   * times of their own: who did what, and keys.
   */
  let tables: string[];

  beforeAll(async () => {
    engine = await Engine.open();
    retention = new RetentionStore(engine.database);
    const { rows } = await engine.owner.query<{ table_name: string }>(
      `SELECT table_name FROM information_schema.columns WHERE column_name = 'job_id' AND table_schema = 'public'
         AND table_name NOT IN ('audit_log', 'idempotency_keys', 'job_queue', 'job_leases')`,
    );
    tables = rows.map(({ table_name }) => table_name);
    expect(tables).toHaveLength(6);
  });
  beforeEach(async () => {
    await engine.usage.flush();
    await engine.owner.query(
      `TRUNCATE job_submissions, job_queue, job_leases, ${tables.join()}, organization_limits, organization_usage`,
    );
    await due();
  });
  afterAll(() => engine?.close());

  /** Lets the next pass begin at once. */
  const due = () =>
    engine.owner.query(
      `UPDATE housekeeping SET due_at = '-infinity', after_id = '00000000-0000-0000-0000-000000000000'`,
    );
  /** Whether the search goes on is asked for here, instead of resting. */
  const goOn = () => engine.owner.query(`UPDATE housekeeping SET due_at = '-infinity'`);
  const dueAfter = async (moment: Date) => {
    const { rows } = await engine.owner.query<{ later: boolean }>(
      `SELECT due_at > $1 AS later FROM housekeeping WHERE name = 'retention'`,
      [moment],
    );
    return rows[0]?.later;
  };
  const sweep = (days = 30, limit = 100) => retention.sweep(days, limit, PAUSE_SECONDS);
  const exists = async ({ jobId }: JobKey) => (await engine.row(jobId)) !== undefined;

  /** A job that was submitted and, if it has ended, ended so many days ago. */
  async function job(
    status: JobStatus,
    submittedDays: number,
    endedDays = submittedDays,
    orgId: string = randomUUID(),
  ): Promise<JobKey> {
    const jobId = uuidv7({ msecs: Date.now() - submittedDays * DAY_MS });
    const key = { jobId, orgId, topic: TASK.topic, task: TASK.name };
    const options = { ...NO_OPTIONS, labels: { name: 'old' } };
    await engine.submits.create({
      ...key,
      maxAttempts: 2,
      options,
      parameters: JSON.stringify({ seconds: 0, note: LARGE }),
      by: ACTOR,
    });
    if (status === 'requested') {
      return key;
    }
    const workerId = await engine.register();
    const first = await engine.claimFor(workerId, key);
    await engine.leases.fail({ ...first, problem: PROBLEM, retryable: true });
    await engine.owner.query('UPDATE job_queue SET run_after = NULL WHERE job_id = $1', [jobId]);
    const lease = await engine.claimFor(workerId, key);
    await new JobLogsStore(engine.database).append([
      { ...lease, pieces: [{ number: 1, text: 'Größe 1\n' }], keepFrom: 1 },
    ]);
    if (status === 'canceling' || status === 'canceled') {
      await engine.ends.requestCancel(key, ACTOR);
    }
    if (status === 'canceled') {
      await engine.leases.endCanceled(lease);
    } else if (status === 'succeeded') {
      await engine.leases.succeed({
        ...lease,
        results: JSON.stringify({ größe: LARGE }),
        message: null,
      });
    } else if (status === 'failed') {
      await engine.leases.fail({ ...lease, problem: PROBLEM, retryable: false });
    }
    await engine.owner.query(
      `UPDATE job_ends SET ended_at = clock_timestamp() - $2 * interval '1 day' WHERE job_id = $1`,
      [jobId, endedDays],
    );
    return key;
  }

  /** How many rows each table has of a job. */
  async function rowsOf({ jobId }: JobKey): Promise<Record<string, number>> {
    const counted: Record<string, number> = {};
    for (const table of tables) {
      const { rows } = await engine.owner.query<{ count: number }>(
        `SELECT count(*)::int AS count FROM ${table} WHERE job_id = $1`,
        [jobId],
      );
      counted[table] = rows[0]?.count ?? Number.NaN;
    }
    return counted;
  }

  it('deletes old ended jobs with all that hangs on them, and leaves all others whole', async () => {
    const gone = [
      await job('succeeded', 31),
      await job('failed', 40, 31),
      await job('canceled', 99),
    ];
    const kept = [
      await job('succeeded', 40, 29),
      await job('succeeded', 29),
      await job('requested', 40),
      await job('in progress', 40),
      await job('canceling', 40),
    ];
    const before = await Promise.all(kept.map(rowsOf));
    expect(Object.values((await rowsOf(gone[0] as JobKey)) as object)).not.toContain(0);

    expect(await sweep()).toEqual({ deleted: 3, finished: true });
    for (const key of gone) {
      expect(await exists(key)).toBe(false);
      expect(await rowsOf(key)).toEqual(Object.fromEntries(tables.map((table) => [table, 0])));
      expect(await engine.states.findState(key)).toBeNull();
    }
    expect(await Promise.all(kept.map(exists))).not.toContain(false);
    expect(await Promise.all(kept.map(rowsOf))).toEqual(before);
    await engine.usage.flush();
    expect(await believedBytes(engine.owner)).toEqual(await countedBytes(engine.owner));
  });

  it('heeds each organization’s own time, else the default’s, else the service’s', async () => {
    const own = async (submitted: number, retentionDays: number | null, weight = 1) => {
      const key = await job('succeeded', submitted);
      await engine.limits.setOrganization(key.orgId, { retentionDays, weight });
      return key;
    };
    const keys = {
      shorter: await own(3, 2),
      longer: await own(50, 60),
      forever: await own(50, 0),
      asConfigured: await own(15, null, 2),
      older: await own(21, null, 2),
      byDefault: await job('succeeded', 15),
      young: await job('succeeded', 5),
    };
    await engine.limits.setOrganization(NIL_UUID, { retentionDays: 10 });
    expect((await sweep(20))?.deleted).toBe(3);
    const left = await Promise.all(
      Object.entries(keys).map(async ([name, key]) => ((await exists(key)) ? [name] : [])),
    );
    expect(left.flat()).toEqual(['longer', 'forever', 'asConfigured', 'young']);
  });

  it('keeps everything for ever when it is told to', async () => {
    await job('succeeded', 9_000);
    expect(await sweep(0)).toEqual({ deleted: 0, finished: true });
  });

  it('goes on where it was, in small steps, past jobs that stay; then waits for the next pass', async () => {
    for (let count = 0; count < 4; count += 1) {
      await job('succeeded', 100 - count);
      await job('requested', 100 - count);
    }
    const began = await engine.submits.now();
    expect(await sweep(30, 3)).toEqual({ deleted: 2, finished: false });
    // It rests four times as long as it took: perhaps that is over by the next statement.
    expect(await dueAfter(began)).toBe(true);
    await engine.owner.query(`UPDATE housekeeping SET due_at = 'infinity'`);
    expect(await sweep(30, 3)).toBeNull();
    await goOn();
    expect(await sweep(30, 3)).toEqual({ deleted: 1, finished: false });
    await goOn();
    expect(await sweep(30, 3)).toEqual({ deleted: 1, finished: true });
    expect(await sweep(30, 3)).toBeNull();
    await job('succeeded', 101);
    await goOn();
    expect(await sweep(30, 3)).toEqual({ deleted: 1, finished: false });
  });

  it('is one replica’s at a time: another neither waits nor deletes', async () => {
    const key = await job('succeeded', 31);
    const other = await engine.owner.connect();
    try {
      await other.query('BEGIN; SELECT 1 FROM housekeeping FOR UPDATE');
      expect(await sweep()).toBeNull();
      expect(await exists(key)).toBe(true);
    } finally {
      await other.query('ROLLBACK');
      other.release();
    }
    expect((await sweep())?.deleted).toBe(1);
  });

  it('is no right of requests, which may delete nothing that has not ended', async () => {
    const running = await job('in progress', 31);
    const ended = await job('succeeded', 31, 31, running.orgId);
    const asked = (text: string) => engine.database.queryFor([running.orgId], { text });
    await expect(asked(`SELECT delete_expired_jobs(1, 1, '0')`)).rejects.toMatchObject({
      code: '42501',
    });
    const before = await rowsOf(running);
    for (const table of tables.filter((name) => name !== 'job_ends')) {
      await asked(`DELETE FROM ${table}`);
    }
    await asked('DELETE FROM job_submissions');
    await asked('DELETE FROM job_ends');
    expect(await exists(running)).toBe(true);
    expect(await rowsOf(running)).toEqual(before);
    expect(await exists(ended)).toBe(false);
  });
});
