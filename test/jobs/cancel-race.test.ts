import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JobKey } from '../../src/jobs/job/job.js';
import { ACTOR, Engine } from '../support/jobs.js';

/** A job is in one of three tables, and may be on its way from one to the next when it is to be canceled. */
describe('a cancel in a race', () => {
  let engine: Engine;
  let workerId: string;
  beforeAll(async () => {
    engine = await Engine.open();
    workerId = await engine.register();
  });
  afterAll(() => engine?.close());

  const cancel = (key: JobKey) => engine.ends.requestCancel(key, ACTOR);

  /** Does something with the job in a transaction, and commits it once a cancel waits for it. */
  async function cancelDuring(key: JobKey, statement: string, ...values: string[]) {
    const other = await engine.owner.connect();
    try {
      await other.query('BEGIN');
      await other.query(statement, [key.jobId, ...values]);
      const canceled = cancel(key);
      await expect
        .poll(async () => {
          const { rows } = await engine.owner.query(
            `SELECT 1 FROM pg_locks JOIN pg_stat_activity activity USING (pid)
             WHERE locktype = 'transactionid' AND NOT granted AND datname = current_database()`,
          );
          return rows.length;
        })
        .toBe(1);
      await other.query('COMMIT');
      return await canceled;
    } finally {
      other.release(true);
    }
  }

  it('finds a job that is claimed meanwhile', async () => {
    const key = await engine.submit();
    const canceled = await cancelDuring(
      key,
      `WITH taken AS (DELETE FROM job_queue WHERE job_id = $1 RETURNING *)
       INSERT INTO job_leases (job_id, lease_id, worker_id, org_id, topic, task, attempt, failures, crashes)
       SELECT job_id, gen_random_uuid(), $2, org_id, topic, task, 1, failures, crashes FROM taken`,
      workerId,
    );
    expect(canceled).toEqual({ status: 'canceling', workerId, changed: true });
    expect(await engine.row(key.jobId)).toMatchObject({ status: 'canceling' });
  });

  it('finds a job that is handed back meanwhile', async () => {
    const { key } = await engine.jobIn('in progress');
    const canceled = await cancelDuring(
      key,
      `WITH held AS (DELETE FROM job_leases WHERE job_id = $1 RETURNING *)
       INSERT INTO job_queue (job_id, org_id, topic, task, attempt)
       SELECT job_id, org_id, topic, task, attempt FROM held`,
    );
    expect(canceled).toEqual({ status: 'canceled', workerId: null, changed: true });
    expect(await engine.row(key.jobId)).toMatchObject({ status: 'canceled', attempt: 1 });
    expect(await engine.claim(workerId)).toEqual([]);
  });

  it('finds a job that ends meanwhile, and leaves it as it ended', async () => {
    const { key } = await engine.jobIn('in progress');
    const canceled = await cancelDuring(
      key,
      `WITH held AS (DELETE FROM job_leases WHERE job_id = $1 RETURNING *)
       INSERT INTO job_ends (job_id, org_id, status, attempt, failures, crashes)
       SELECT job_id, org_id, 'succeeded', attempt, failures, crashes FROM held`,
    );
    expect(canceled).toEqual({ status: 'succeeded', workerId: null, changed: false });
  });

  it('finds nothing of a job that another canceled and purged meanwhile', async () => {
    const key = await engine.submit();
    const canceled = await cancelDuring(
      key,
      `WITH gone AS (DELETE FROM job_queue WHERE job_id = $1)
       DELETE FROM job_submissions WHERE id = $1`,
    );
    expect(canceled).toBeNull();
  });

  it('ends, and says what to do, when somebody has taken the job out of all three by hand', async () => {
    const key = await engine.submit();
    await engine.owner.query('DELETE FROM job_queue WHERE job_id = $1', [key.jobId]);
    await expect(cancel(key)).rejects.toMatchObject({
      message: `job ${key.jobId} neither waits nor runs nor has ended`,
      hint: expect.stringContaining('job_queue'),
    });
  });

  it('is one of many: one ends the job, the others see its end', async () => {
    const key = await engine.submit();
    const answers = await Promise.all(Array.from({ length: 20 }, () => cancel(key)));
    const end = { status: 'canceled', workerId: null };
    expect(answers.filter((answer) => answer?.changed)).toEqual([{ ...end, changed: true }]);
    expect(answers.filter((answer) => !answer?.changed)).toEqual(
      answers.slice(1).map(() => ({ ...end, changed: false })),
    );
    const { rows } = await engine.owner.query(
      `SELECT count(*)::int AS acts FROM audit_log WHERE job_id = $1 AND action = 'job.cancel'`,
      [key.jobId],
    );
    expect(rows).toEqual([{ acts: 1 }]);
  });
});
