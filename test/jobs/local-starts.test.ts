import { randomUUID } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { v7 as uuidv7 } from 'uuid';
import { type JobOptions, NO_OPTIONS } from '../../src/jobs/job/job.js';
import type { NewJob } from '../../src/jobs/submit/submit-statement.js';
import type { ClaimedJob, Lease } from '../../src/jobs/lease/lease.store.js';
import { NIL_UUID } from '../../src/platform/ids/uuid.js';
import { ACTOR, Engine, TASK } from '../support/jobs.js';

/** A process whose worker offers slots to its own submits. */
describe('a submit in a process with a free slot', () => {
  let engine: Engine;
  let workerId: string;
  let free: number;
  let started: ClaimedJob[];
  let handedBack: Lease[];

  beforeAll(async () => {
    engine = await Engine.open();
  });
  afterAll(() => engine?.close());
  beforeEach(async () => {
    workerId = await engine.register();
    [free, started, handedBack] = [10, [], []];
    engine.starts.starter = {
      reserve() {
        if (free === 0) {
          return null;
        }
        free -= 1;
        return workerId;
      },
      start: (job) => started.push(job),
      free: () => (free += 1),
      handBack: (lease) => handedBack.push(lease),
    };
  });
  afterEach(async () => {
    engine.starts.starter = null;
    await engine.owner.query(
      'TRUNCATE job_submissions, job_queue, job_leases, job_ends, organization_limits, task_limits',
    );
  });

  const create = async (wanted: NewJob) => {
    const stored = await engine.submits.create(wanted);
    await nextTurn();
    return stored;
  };
  const job = (orgId: string, options: Partial<JobOptions> = {}) => ({
    jobId: uuidv7(),
    orgId,
    topic: TASK.topic,
    task: TASK.name,
    maxAttempts: 2,
    parameters: '{"seconds":0}',
    by: ACTOR,
    options: { ...NO_OPTIONS, ...options },
  });

  it('is stored as started, with a fence as any other, and can end', async () => {
    const mine = job(randomUUID(), { timeoutSeconds: 7 });
    expect(await create(mine)).toEqual({ started: true });
    expect(started).toMatchObject([
      {
        jobId: mine.jobId,
        attempt: 1,
        crashes: 0,
        timeoutSeconds: 7,
        parameters: mine.parameters,
      },
    ]);
    const [{ leaseId }] = started as [ClaimedJob];
    expect(await engine.row(mine.jobId)).toMatchObject({
      status: 'in progress',
      attempt: 1,
      worker_id: workerId,
      lease_id: leaseId,
    });
    expect(await engine.claim(await engine.register())).toEqual([]);
    const stale = { jobId: mine.jobId, leaseId: randomUUID(), message: null, results: '{}' };
    expect(await engine.leases.succeed(stale)).toBeNull();
    expect(await engine.leases.succeed({ ...stale, leaseId })).toBe('succeeded');
  });

  it('is taken back like any other when its worker is lost', async () => {
    const mine = job(randomUUID());
    await create(mine);
    await engine.loseWorker(workerId);
    expect(await engine.row(mine.jobId)).toMatchObject({ status: 'requested', crashes: 1 });
  });

  it('waits behind a job of its organization that waits', async () => {
    const orgId = randomUUID();
    const { starter } = engine.starts;
    engine.starts.starter = null;
    const first = await engine.submit(orgId);
    engine.starts.starter = starter;
    const second = job(orgId);
    expect(await create(second)).toEqual({ started: false });
    expect(free).toBe(10);
    // Of another organization nothing waits; what is not due yet is not waiting.
    expect(await create(job(randomUUID()))).toEqual({ started: true });
    const claimed = await engine.claim(await engine.register(), 5);
    expect(claimed.map(({ jobId }) => jobId)).toEqual([first.jobId, second.jobId]);
  });

  it('waits when it is for later, and starts past one that is', async () => {
    const orgId = randomUUID();
    const later = { runAfter: new Date(Date.now() + 3_600_000) };
    expect(await create(job(orgId, later))).toEqual({ started: false });
    expect(await create(job(orgId))).toEqual({ started: true });
  });

  it.each(['organization', 'default', 'task'])(
    'leaves the cap of the %s to claims, which count under its lock',
    async (of) => {
      const orgId = randomUUID();
      await (of === 'task'
        ? engine.limits.setTask(TASK.topic, TASK.name, 5)
        : engine.limits.setOrganization(of === 'organization' ? orgId : NIL_UUID, {
            maxRunning: 5,
          }));
      expect(await create(job(orgId))).toEqual({ started: false });
      expect(
        await engine.row((await engine.claim(await engine.register()))[0]!.jobId),
      ).toMatchObject({ attempt: 1 });
    },
  );

  it.each(['drains', 'was taken for lost'])('waits when the worker %s', async (why) => {
    await (why === 'drains' ? engine.workers.drain(workerId) : engine.loseWorker(workerId));
    expect(await create(job(randomUUID()))).toEqual({ started: false });
    expect(started).toEqual([]);
  });

  it('starts, of many at once, as many as there are slots, and each once', async () => {
    const orgs = Array.from({ length: 3 }, () => randomUUID());
    const jobs = Array.from({ length: 30 }, (_, index) => job(orgs[index % 3] as string));
    const stored = await Promise.all(jobs.map(create));
    const running = stored.filter((one) => one.started);
    expect(running.length).toBeGreaterThan(0);
    expect(running.length).toBeLessThanOrEqual(10);
    expect(started).toHaveLength(running.length);
    const { rows } = await engine.owner.query(
      `SELECT (SELECT count(*) FROM job_leases)::int AS leases, (SELECT count(*) FROM job_queue)::int AS waiting`,
    );
    expect(rows).toEqual([{ leases: running.length, waiting: 30 - running.length }]);
  });

  it('starts once for a key, however often it is sent', async () => {
    const orgId = randomUUID();
    const key = { digest: Buffer.alloc(32, 1), bodyDigest: Buffer.alloc(32, 2) };
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => engine.submits.createOnce(job(orgId), key)),
    );
    await nextTurn();
    expect(answers.filter((answer) => 'started' in answer)).toEqual([{ started: true }]);
    expect(started).toHaveLength(1);
    expect(free).toBe(9);
  });

  it('hands back what may have been stored as started when no answer came', async () => {
    const mine = job(randomUUID());
    await create(mine);
    // The same id again: the statement fails, and this process cannot know what it did.
    await expect(create(mine)).rejects.toMatchObject({ code: '23505' });
    expect(handedBack).toMatchObject([{ jobId: mine.jobId }]);
    expect(handedBack[0]?.leaseId).not.toBe(started[0]?.leaseId);
  });
});
