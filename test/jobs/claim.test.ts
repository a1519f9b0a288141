import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RingTurn } from '../../src/jobs/lease/claim.store.js';
import type { ClaimedJob } from '../../src/jobs/lease/lease.store.js';
import type { JobKey } from '../../src/jobs/job/job.js';
import { MAX_CRASHES } from '../../src/jobs/job/job-transitions.js';
import { ADVISORY_LOCKS } from '../../src/platform/database/advisory-locks.js';
import { NIL } from 'uuid';
import { Engine, TASK } from '../support/jobs.js';

describe('a claim', () => {
  let engine: Engine;
  let workerId: string;

  beforeAll(async () => {
    engine = await Engine.open();
    workerId = await engine.register();
  });
  afterAll(() => engine?.close());
  beforeEach(async () => {
    await engine.owner.query(
      'TRUNCATE job_submissions, job_queue, job_leases, job_ends, organization_limits, task_limits',
    );
  });

  const submit = (orgId: string, count: number) =>
    Promise.all(Array.from({ length: count }, () => engine.submit(orgId)));

  const limit = (orgId: string, weight: number, maxRunning: number | null = null) =>
    engine.limits.setOrganization(orgId, { weight, maxRunning });

  /** Claims again and again, as one worker does. */
  async function claimAll(times: number, size: number): Promise<ClaimedJob[]> {
    const claimed: ClaimedJob[] = [];
    let turn: RingTurn = { cursor: randomUUID(), credit: 0 };
    for (let time = 0; time < times; time += 1) {
      const claim = await engine.claimTurn(workerId, size, turn);
      turn = claim.turn;
      claimed.push(...claim.jobs);
    }
    return claimed;
  }

  const share = (jobs: readonly ClaimedJob[], orgId: string) =>
    jobs.filter((job) => job.orgId === orgId).length;

  it('takes the jobs of one organization in the order of their submission', async () => {
    const org = randomUUID();
    const keys = [];
    for (let count = 0; count < 5; count += 1) {
      keys.push(await engine.submit(org));
    }
    const claimed = await claimAll(1, 5);
    expect(claimed.map(({ jobId }) => jobId)).toEqual(keys.map(({ jobId }) => jobId));
  });

  it('takes the most urgent jobs of an organization first, the older of equal ones before', async () => {
    const org = randomUUID();
    const keys: JobKey[] = [];
    for (const priority of [0, -100, 100, 0, 100]) {
      keys.push(await engine.submit(org, 1, { priority }));
    }
    const claimed = await claimAll(1, 5);
    expect(claimed.map(({ jobId }) => keys.findIndex((key) => key.jobId === jobId))).toEqual([
      2, 4, 0, 3, 1,
    ]);
  });

  it('lets no organization buy precedence over others by priority', async () => {
    const [loud, quiet] = [randomUUID(), randomUUID()];
    await Promise.all(Array.from({ length: 20 }, () => engine.submit(loud, 1, { priority: 100 })));
    await submit(quiet, 20);
    expect(share(await claimAll(20, 1), quiet)).toBe(10);
  });

  it('leaves a job alone until its run_after, and then lets it in', async () => {
    const runAfter = new Date(Date.now() + 3_600_000);
    const key = await engine.submit(randomUUID(), 1, { runAfter });
    expect(await engine.claim(workerId, 5)).toEqual([]);
    expect(await engine.row(key.jobId)).toMatchObject({ run_after: runAfter });
    await engine.owner.query('UPDATE job_queue SET run_after = clock_timestamp()');
    expect(await engine.tending.tend(15)).toMatchObject([
      { jobId: key.jobId, transition: 'due', status: 'requested' },
    ]);
    expect(await engine.claim(workerId, 5)).toHaveLength(1);
  });

  it('does not start a job that has expired; it fails, once', async () => {
    const key = await engine.submit(randomUUID(), 1, { expiresAfterSeconds: 60 });
    await engine.owner.query('UPDATE job_queue SET expires_at = clock_timestamp()');
    expect(await engine.claim(workerId, 5)).toEqual([]);
    expect(await engine.tending.tend(15)).toMatchObject([
      { jobId: key.jobId, transition: 'expire', status: 'failed' },
    ]);
    expect(await engine.tending.tend(15)).toEqual([]);
    const row = await engine.row(key.jobId);
    expect((row.error as { type: string }).type).toMatch(/\/job-expired$/);
  });

  it('lets a job wait from the moment it may start, and asks no more once it was started', async () => {
    const runAfter = new Date(Date.now() + 3_600_000);
    const delayed = await engine.submit(randomUUID(), 1, { runAfter, expiresAfterSeconds: 60 });
    expect(await engine.row(delayed.jobId)).toMatchObject({
      expires_at: new Date(runAfter.getTime() + 60_000),
    });
    await engine.submit(randomUUID(), 1, { expiresAfterSeconds: 60 });
    const [started] = await engine.claim(workerId, 5);
    expect(await engine.row(started?.jobId as string)).toMatchObject({ expires_at: null });
  });

  it('tells where submits stand in traces: of none, and of one that came while it waited for its worker', async () => {
    const place = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    const traced = async () => {
      const key = await engine.submit();
      await engine.owner.query('UPDATE job_submissions SET traceparent = $2 WHERE id = $1', [
        key.jobId,
        place,
      ]);
      return key.jobId;
    };
    const before = [await traced(), (await engine.submit()).jobId];
    const holder = await engine.owner.connect();
    await holder.query('BEGIN');
    await holder.query('SELECT 1 FROM workers WHERE id = $1 FOR UPDATE', [workerId]);
    const turn = { cursor: randomUUID(), credit: 0 };
    const claimed = engine.claims.claim(workerId, [TASK], 5, turn, 5, true);
    await expect
      .poll(async () => {
        const { rows } = await engine.owner.query(
          `SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%claim_jobs%'`,
        );
        return rows.length;
      })
      .toBe(1);
    const late = await traced();
    await holder.query('COMMIT');
    holder.release();
    const places = (await claimed).jobs.map(({ jobId, traceparent }) => [jobId, traceparent]);
    expect(new Map(places as [string, string | null][])).toEqual(
      new Map([
        [before[0], place],
        [before[1], null],
        [late, place],
      ]),
    );
  });

  it('takes only tasks that the worker serves', async () => {
    await engine.submit();
    const tasks = [{ topic: 'diagnostics', name: 'spin' }];
    const turn = { cursor: randomUUID(), credit: 0 };
    expect((await engine.claims.claim(workerId, tasks, 5, turn)).jobs).toEqual([]);
    expect(await engine.claim(workerId, 5)).toHaveLength(1);
  });

  it('goes round the organizations, so that a long queue does not hold up short ones', async () => {
    const whale = randomUUID();
    const others = Array.from({ length: 9 }, () => randomUUID());
    await submit(whale, 300);
    for (const org of others) {
      await submit(org, 3);
    }
    const claimed = await claimAll(30, 1);
    expect(share(claimed, whale)).toBeLessThanOrEqual(4);
    for (const org of others) {
      expect(share(claimed, org)).toBeGreaterThanOrEqual(2);
    }
  });

  it('starts jobs in proportion to the weights while organizations compete', async () => {
    const [light, heavy] = [randomUUID(), randomUUID()];
    await limit(heavy, 3);
    await submit(light, 100);
    await submit(heavy, 100);
    for (const size of [1, 2, 5]) {
      const claimed = await claimAll(40 / size, size);
      expect(share(claimed, heavy)).toBeGreaterThanOrEqual(28);
      expect(share(claimed, heavy)).toBeLessThanOrEqual(32);
    }
  });

  it('gives one organization everything when nobody else wants it', async () => {
    const org = randomUUID();
    await submit(org, 100);
    expect(await claimAll(1, 100)).toHaveLength(100);
  });

  it('never lets an organization run more than its cap, with many workers claiming at once', async () => {
    const org = randomUUID();
    await limit(org, 1, 3);
    await submit(org, 60);
    const workers = await Promise.all(Array.from({ length: 4 }, () => engine.register()));
    for (let round = 0; round < 5; round += 1) {
      await Promise.all(workers.map((id) => engine.claim(id, 4)));
      const { rows } = await engine.owner.query<{ job_id: string; lease_id: string }>(
        `SELECT job_id, lease_id FROM job_leases`,
      );
      expect(rows.length).toBeLessThanOrEqual(3);
      await Promise.all(
        rows.map((row) =>
          engine.leases.succeed({
            jobId: row.job_id,
            leaseId: row.lease_id,
            results: '{}',
            message: null,
          }),
        ),
      );
    }
  });

  it('never runs more of a task than its cap, over all organizations and workers', async () => {
    await engine.limits.setTask(TASK.topic, TASK.name, 2);
    await Promise.all(Array.from({ length: 40 }, () => engine.submit()));
    const workers = await Promise.all(Array.from({ length: 4 }, () => engine.register()));
    let ended = 0;
    for (let round = 0; round < 6; round += 1) {
      await Promise.all(workers.map((id) => engine.claim(id, 4)));
      const { rows } = await engine.owner.query<{ job_id: string; lease_id: string }>(
        `SELECT job_id, lease_id FROM job_leases`,
      );
      expect(rows.length).toBeLessThanOrEqual(2);
      ended += rows.length;
      for (const row of rows) {
        const lease = { jobId: row.job_id, leaseId: row.lease_id };
        await engine.leases.succeed({ ...lease, results: '{}', message: null });
      }
    }
    expect(ended).toBeGreaterThanOrEqual(10);
  });

  it('gives organizations without limits of their own those of the nil organization', async () => {
    const [own, other] = [randomUUID(), randomUUID()];
    await limit(NIL, 1, 1);
    await limit(own, 1, 3);
    await submit(own, 5);
    await submit(other, 5);
    const claimed = await claimAll(10, 4);
    expect([share(claimed, own), share(claimed, other)]).toEqual([3, 1]);
  });

  it('takes jobs that one more crash would fail one at a time, others beside them', async () => {
    const org = randomUUID();
    await submit(org, 6);
    await engine.owner.query(
      `UPDATE job_queue SET task = 'spin' WHERE job_id = (SELECT min(job_id::text)::uuid FROM job_queue)`,
    );
    await engine.owner.query(
      `UPDATE job_queue SET crashes = $1::int, attempt = $1::int
       WHERE job_id IN (SELECT job_id FROM job_queue ORDER BY job_id LIMIT 3)`,
      [MAX_CRASHES - 1],
    );
    const claim = (lastChances: number) =>
      engine.claims.claim(
        workerId,
        [TASK, { topic: TASK.topic, name: 'spin' }],
        6,
        { cursor: randomUUID(), credit: 0 },
        lastChances,
      );
    const first = await claim(1);
    expect(first.jobs.map(({ crashes }) => crashes).toSorted((one, other) => one - other)).toEqual([
      0, 0, 0, 2,
    ]);
    expect((await claim(0)).jobs).toEqual([]);
    expect((await claim(1)).jobs.map(({ crashes }) => crashes)).toEqual([2]);
  });

  it('gives each job to one of many workers', async () => {
    await Promise.all(Array.from({ length: 40 }, () => engine.submit()));
    const workers = await Promise.all(Array.from({ length: 4 }, () => engine.register()));
    const claims = await Promise.all(
      Array.from({ length: 20 }, (_, index) => engine.claim(workers[index % 4] as string, 5)),
    );
    const ids = claims.flat().map(({ jobId }) => jobId);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.length).toBeGreaterThan(0);
  });

  it('gives nothing to a worker that drains, or that was taken for lost', async () => {
    const drained = await engine.register();
    const lost = await engine.register();
    await engine.workers.drain(drained);
    await engine.loseWorker(lost);
    await engine.submit();
    expect(await engine.claim(drained)).toEqual([]);
    expect(await engine.claim(lost)).toEqual([]);
  });

  it('says when it passed over a capped organization because another was claiming from it', async () => {
    const org = randomUUID();
    await engine.submit(org);
    await engine.limits.setOrganization(org, { maxRunning: 9 });
    await whileLocked(
      `SELECT pg_advisory_xact_lock(${ADVISORY_LOCKS.organization}, hashtext($1))`,
      org,
      async () => {
        expect(await engine.claimTurn(workerId, 1)).toMatchObject({ jobs: [], contended: true });
      },
    );
  });

  it('takes what another claim of the organization has not locked, without waiting', async () => {
    const org = randomUUID();
    const [first, second] = [await engine.submit(org), await engine.submit(org)];
    await whileLocked(
      'SELECT FROM job_queue WHERE job_id = $1 FOR UPDATE',
      first.jobId,
      async () => {
        expect(await engine.claimTurn(workerId, 2)).toMatchObject({
          jobs: [{ jobId: second.jobId }],
        });
        expect(await engine.claimTurn(workerId, 2)).toMatchObject({ jobs: [], contended: true });
      },
    );
    expect(await engine.claim(workerId, 2)).toMatchObject([{ jobId: first.jobId }]);
    expect(await engine.claimTurn(workerId, 2)).toMatchObject({ jobs: [], contended: false });
  });

  /** Does something while another transaction holds what the statement locks. */
  async function whileLocked(sql: string, value: string, meanwhile: () => Promise<void>) {
    const other = await engine.owner.connect();
    try {
      await other.query('BEGIN');
      await other.query(sql, [value]);
      await meanwhile();
    } finally {
      await other.query('ROLLBACK');
      other.release();
    }
  }
});

describe('a worker', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await Engine.open();
  });
  afterAll(() => engine?.close());

  it('hears with its heartbeat which of its jobs are to be canceled', async () => {
    const { workerId, leaseId } = await engine.jobIn('canceling');
    expect(await engine.workers.beat(workerId)).toEqual({ alive: true, canceling: [leaseId] });
  });

  it('that beats in the moment in which it is taken for lost hears the truth', async () => {
    await engine.outlastBenefitOfTheDoubt(2);
    for (let round = 0; round < 30; round += 1) {
      const ids = await Promise.all(Array.from({ length: 20 }, () => engine.register()));
      await engine.owner.query(
        `UPDATE workers SET suspect_at = NULL, beat_at = '-infinity' WHERE id = ANY ($1)`,
        [ids],
      );
      const [, ...beats] = await Promise.all([
        engine.tending.tend(2),
        ...ids.map((id) => engine.workers.beat(id)),
      ]);
      const { rows } = await engine.owner.query<{ id: string }>(
        'DELETE FROM workers WHERE id = ANY ($1) RETURNING id',
        [ids],
      );
      const left = new Set(rows.map(({ id }) => id));
      expect(beats.map(({ alive }) => alive)).toEqual(ids.map((id) => left.has(id)));
    }
  });

  it('hears that it was taken for lost', async () => {
    const workerId = await engine.register();
    await engine.loseWorker(workerId);
    expect(await engine.workers.beat(workerId)).toEqual({ alive: false, canceling: [] });
  });
});
