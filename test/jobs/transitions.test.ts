import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { JOB_STATUSES, type JobStatus } from '../../src/jobs/job/job-status.js';
import {
  MAX_CRASHES,
  type Transition,
  TRANSITIONS,
  type TransitionName,
} from '../../src/jobs/job/job-transitions.js';
import type { JobKey } from '../../src/jobs/job/job.js';
import { ACTOR, Engine, PROBLEM } from '../support/jobs.js';

interface Subject {
  readonly key: JobKey;
  readonly workerId: string;
  readonly leaseId: string;
}

/** How each transition is asked for; what it answers when it changed nothing is null or nothing. */
const MAKE: Record<TransitionName, (engine: Engine, subject: Subject) => Promise<unknown>> = {
  claim: (engine, { workerId }) => engine.claim(workerId),
  requestCancel: (engine, { key }) => engine.ends.requestCancel(key, ACTOR),
  succeed: (engine, { key, leaseId }) =>
    engine.leases.succeed({ jobId: key.jobId, leaseId, results: '{}', message: null }),
  fail: (engine, { key, leaseId }) =>
    engine.leases.fail({ jobId: key.jobId, leaseId, problem: PROBLEM, retryable: true }),
  postpone: (engine, { key, leaseId }) =>
    engine.leases.postpone({ jobId: key.jobId, leaseId, afterSeconds: 60 }),
  endCanceled: (engine, { key, leaseId }) =>
    engine.leases.endCanceled({ jobId: key.jobId, leaseId }),
  release: (engine, { key, leaseId }) => engine.leases.release({ jobId: key.jobId, leaseId }),
  expire: async (engine, { key }) => {
    await engine.owner.query('UPDATE job_queue SET expires_at = now() WHERE job_id = $1', [
      key.jobId,
    ]);
    await engine.tending.tend(15);
  },
  reap: (engine, { workerId }) => engine.loseWorker(workerId),
};

const [CHECK_VIOLATION, NOT_NULL_VIOLATION] = ['23514', '23502'];
const names = Object.keys(TRANSITIONS) as TransitionName[];
const cases = names.flatMap((name) => JOB_STATUSES.map((status) => ({ name, status })));
/** Not a lease of this job now: one that was another's or is over, and none at all. */
const WRONG_LEASES = {
  'a stale lease': () => randomUUID(),
  // As a caller without types could: SQL must not take the null of a job that nobody runs for it.
  'no lease': () => null as unknown as string,
} as const;
const wrongCases = cases
  .filter(({ name }) => TRANSITIONS[name].needsLease)
  .flatMap((one) => (['a stale lease', 'no lease'] as const).map((lease) => ({ ...one, lease })));
const targets = (name: TransitionName, status: JobStatus) =>
  (TRANSITIONS[name] as Transition).from[status];

describe('every transition from every state', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await Engine.open();
  });
  afterAll(() => engine?.close());

  it.each(cases)('$name with the right lease, from $status', async ({ name, status }) => {
    const subject = await engine.jobIn(status);
    const neighbour = await engine.jobIn('in progress');
    const before = await engine.row(subject.key.jobId);
    const untouched = await engine.row(neighbour.key.jobId);
    await MAKE[name](engine, subject);
    const after = await engine.row(subject.key.jobId);
    const allowed = targets(name, status);
    if (allowed === undefined) {
      expect(after).toEqual(before);
    } else {
      expect(allowed).toContain(after.status);
    }
    expect(await engine.row(neighbour.key.jobId)).toEqual(untouched);
    await retire(engine, subject.key, neighbour.key);
  });

  it.each(wrongCases)(
    '$name with $lease changes nothing, from $status',
    async ({ name, status, lease }) => {
      const subject = await engine.jobIn(status);
      const before = await engine.row(subject.key.jobId);
      const answer = await MAKE[name](engine, { ...subject, leaseId: WRONG_LEASES[lease]() });
      expect(answer).toBeNull();
      expect(await engine.row(subject.key.jobId)).toEqual(before);
      expect(await engine.results(subject.key.jobId)).toBe(status === 'succeeded' ? 1 : 0);
      await retire(engine, subject.key);
    },
  );

  it.each(
    JOB_STATUSES.flatMap((status) =>
      (['a stale lease', 'no lease'] as const).map((lease) => ({ status, lease })),
    ),
  )('progress with $lease changes nothing, from $status', async ({ status, lease }) => {
    const { key } = await engine.jobIn(status);
    const before = await engine.row(key.jobId);
    const report = { jobId: key.jobId, leaseId: WRONG_LEASES[lease](), percent: 99, message: 'x' };
    expect((await engine.leases.progress([report])).size).toBe(0);
    expect(await engine.row(key.jobId)).toEqual(before);
    await retire(engine, key);
  });

  it('succeeding is the only way to results, and a cancel that came first drops them', async () => {
    const won = await engine.jobIn('in progress');
    await MAKE.succeed(engine, won);
    expect(await engine.results(won.key.jobId)).toBe(1);
    const lost = await engine.jobIn('canceling');
    expect(await MAKE.succeed(engine, lost)).toBe('canceled');
    expect(await engine.results(lost.key.jobId)).toBe(0);
  });

  it('a failure is retried after a back-off while attempts are left, and counted', async () => {
    const subject = await engine.jobIn('in progress', 2);
    expect(await MAKE.fail(engine, subject)).toBe('requested');
    const waiting = await engine.row(subject.key.jobId);
    expect(waiting).toMatchObject({
      failures: 1,
      crashes: 0,
      attempt: 1,
      progress: 0,
      error: null,
    });
    expect(waiting.run_after).toBeInstanceOf(Date);
    await engine.owner.query(`UPDATE job_queue SET run_after = now() WHERE job_id = $1`, [
      subject.key.jobId,
    ]);
    await engine.tending.tend(15);
    const second = await engine.claimFor(subject.workerId, subject.key);
    expect(second.attempt).toBe(2);
    const last = { ...subject, leaseId: second.leaseId };
    expect(await MAKE.fail(engine, last)).toBe('failed');
    expect(await engine.row(subject.key.jobId)).toMatchObject({ failures: 2, error: PROBLEM });
  });

  it('a typed problem is never retried', async () => {
    const { key, leaseId } = await engine.jobIn('in progress', 5);
    const failure = { jobId: key.jobId, leaseId, problem: PROBLEM, retryable: false };
    expect(await engine.leases.fail(failure)).toBe('failed');
  });

  it('a released job counts nothing and is claimed again before younger ones', async () => {
    const subject = await engine.jobIn('in progress');
    await engine.submit(subject.key.orgId);
    await MAKE.release(engine, subject);
    expect(await engine.row(subject.key.jobId)).toMatchObject({ failures: 0, crashes: 0 });
    const next = await engine.claimFor(subject.workerId, subject.key);
    expect(next.attempt).toBe(2);
  });

  it(`a job that lost ${MAX_CRASHES} workers fails with worker-lost`, async () => {
    const key = await engine.submit();
    for (let crash = 1; crash <= MAX_CRASHES; crash += 1) {
      const workerId = await engine.register();
      await engine.claimFor(workerId, key);
      await engine.loseWorker(workerId);
    }
    const row = await engine.row(key.jobId);
    expect(row).toMatchObject({ status: 'failed', crashes: MAX_CRASHES, failures: 0 });
    expect((row.error as { type: string }).type).toMatch(/\/worker-lost$/);
  });

  it('the database refuses nonsense, whoever writes it', async () => {
    const ids = {
      job_queue: (await engine.jobIn('requested')).key.jobId,
      job_leases: (await engine.jobIn('in progress')).key.jobId,
      job_ends: (await engine.jobIn('succeeded')).key.jobId,
    };
    for (const [table, nonsense, code] of [
      ['job_queue', 'urgency = 101', CHECK_VIOLATION],
      ['job_queue', 'failures = 1', CHECK_VIOLATION],
      ['job_leases', 'lease_id = NULL', NOT_NULL_VIOLATION],
      ['job_leases', 'worker_id = NULL', NOT_NULL_VIOLATION],
      ['job_leases', 'progress = 101', CHECK_VIOLATION],
      ['job_leases', 'attempt = 0', CHECK_VIOLATION],
      ['job_ends', `status = 'running'`, CHECK_VIOLATION],
      ['job_ends', `status = 'failed'`, CHECK_VIOLATION],
      ['job_ends', `error = '{}'`, CHECK_VIOLATION],
      ['job_ends', 'ended_at = NULL', NOT_NULL_VIOLATION],
      ['job_ends', 'results = NULL', CHECK_VIOLATION],
    ] as const) {
      const write = engine.owner.query(`UPDATE ${table} SET ${nonsense} WHERE job_id = $1`, [
        ids[table],
      ]);
      await expect(write, `${table}: ${nonsense}`).rejects.toMatchObject({ code });
    }
  });

  it('the database refuses a second end, whoever writes it', async () => {
    const { key } = await engine.jobIn('succeeded');
    const again = engine.owner.query(
      'INSERT INTO job_ends SELECT * FROM job_ends WHERE job_id = $1',
      [key.jobId],
    );
    await expect(again).rejects.toMatchObject({ code: '23505' });
  });
});

/** Ends jobs that a later claim could otherwise meet. */
async function retire(engine: Engine, ...keys: JobKey[]): Promise<void> {
  const ids = keys.map(({ jobId }) => jobId);
  await engine.owner.query(
    `WITH queue AS (DELETE FROM job_queue WHERE job_id = ANY ($1)),
       leases AS (DELETE FROM job_leases WHERE job_id = ANY ($1)),
       ends AS (DELETE FROM job_ends WHERE job_id = ANY ($1))
     DELETE FROM job_submissions WHERE id = ANY ($1)`,
    [ids],
  );
}
