import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ClaimedJob, RingTurn } from '../../src/jobs/lease.store.js';
import { Engine } from '../support/jobs.js';

describe('a claim', () => {
  let engine: Engine;
  let workerId: string;

  beforeAll(async () => {
    engine = await Engine.open();
    workerId = await engine.register();
  });
  afterAll(() => engine?.close());
  beforeEach(async () => {
    await engine.database.pool.query('TRUNCATE jobs, organization_limits');
  });

  const submit = (orgId: string, count: number) =>
    Promise.all(Array.from({ length: count }, () => engine.submit(orgId)));

  const limit = (orgId: string, weight: number, maxRunning: number | null = null) =>
    engine.database.prisma.organizationLimits.create({
      data: { orgId, weight, maxRunning },
    });

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

  it('takes only tasks that the worker serves', async () => {
    await engine.submit();
    const tasks = [{ topic: 'diagnostics', name: 'spin' }];
    const turn = { cursor: randomUUID(), credit: 0 };
    expect((await engine.leases.claim(workerId, tasks, 5, turn)).jobs).toEqual([]);
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
      const { rows } = await engine.database.pool.query<{ id: string; lease_id: string }>(
        `SELECT id, lease_id FROM jobs WHERE lease_id IS NOT NULL`,
      );
      expect(rows.length).toBeLessThanOrEqual(3);
      await Promise.all(
        rows.map((row) =>
          engine.leases.succeed({
            jobId: row.id,
            leaseId: row.lease_id,
            results: '{}',
            message: null,
          }),
        ),
      );
    }
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

  it('says when it passed over an organization because another was claiming from it', async () => {
    const org = randomUUID();
    await engine.submit(org);
    const other = await engine.database.pool.connect();
    try {
      await other.query('BEGIN');
      await other.query('SELECT pg_advisory_xact_lock(727072, hashtext($1))', [org]);
      const claim = await engine.claimTurn(workerId, 1);
      expect(claim).toMatchObject({ jobs: [], contended: true });
    } finally {
      await other.query('ROLLBACK');
      other.release();
    }
  });
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

  it('hears that it was taken for lost', async () => {
    const workerId = await engine.register();
    await engine.loseWorker(workerId);
    expect(await engine.workers.beat(workerId)).toEqual({ alive: false, canceling: [] });
  });
});
