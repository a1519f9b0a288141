import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { JobKey } from '../../src/jobs/job/job.js';
import type { ClaimedJob } from '../../src/jobs/lease/lease.store.js';
import { ACTOR, Engine, PROBLEM } from '../support/jobs.js';

describe('the first attempt of a rescued job comes back late', () => {
  let engine: Engine;
  let first: ClaimedJob;
  let second: ClaimedJob;

  beforeAll(async () => {
    engine = await Engine.open();
  });
  afterAll(() => engine?.close());

  beforeEach(async () => {
    const key = await engine.submit();
    const lost = await engine.register();
    first = await engine.claimFor(lost, key);
    await engine.loseWorker(lost);
    second = await engine.claimFor(await engine.register(), key);
    expect(second.leaseId).not.toBe(first.leaseId);
  });

  it('its results do not complete the second attempt', async () => {
    expect(
      await engine.leases.succeed({ ...first, results: '{"late":1}', message: 'late' }),
    ).toBeNull();
    expect(await engine.results(first.jobId)).toBe(0);
    expect(await engine.leases.succeed({ ...second, results: '{}', message: null })).toBe(
      'succeeded',
    );
    expect(await engine.row(first.jobId)).toMatchObject({ status: 'succeeded', message: null });
  });

  it('its failure does not fail the second attempt', async () => {
    expect(await engine.leases.fail({ ...first, problem: PROBLEM, retryable: false })).toBeNull();
    expect(await engine.row(first.jobId)).toMatchObject({ status: 'in progress', failures: 0 });
  });

  it('its progress does not show', async () => {
    const report = { ...first, percent: 99, message: 'late' };
    expect((await engine.leases.progress([report])).size).toBe(0);
    expect(await engine.row(first.jobId)).toMatchObject({ progress: 0, message: null });
  });

  it('its wish to be run later does not take the job from the second attempt', async () => {
    const before = await engine.row(first.jobId);
    expect(await engine.leases.postpone({ ...first, afterSeconds: 60 })).toBeNull();
    expect(await engine.row(first.jobId)).toEqual(before);
  });

  it('its release takes nothing from the second attempt', async () => {
    const before = await engine.row(first.jobId);
    expect(await engine.leases.release(first)).toBeNull();
    expect(await engine.row(first.jobId)).toEqual(before);
  });

  it('its end of a cancel does not end the second attempt, which is to be canceled', async () => {
    await engine.ends.requestCancel(first, ACTOR);
    const before = await engine.row(first.jobId);
    expect(await engine.leases.endCanceled(first)).toBeNull();
    expect(await engine.row(first.jobId)).toEqual(before);
    expect(await engine.leases.endCanceled(second)).toBe('canceled');
  });

  it('its release and its results do not cancel the second attempt either', async () => {
    await engine.ends.requestCancel(first, ACTOR);
    const before = await engine.row(first.jobId);
    expect(await engine.leases.release(first)).toBeNull();
    expect(await engine.leases.succeed({ ...first, results: '{}', message: null })).toBeNull();
    expect(await engine.leases.fail({ ...first, problem: PROBLEM, retryable: true })).toBeNull();
    expect(await engine.leases.postpone({ ...first, afterSeconds: 0 })).toBeNull();
    expect(await engine.row(first.jobId)).toEqual(before);
  });

  describe('in one statement with an attempt that is held', () => {
    let held: ClaimedJob;

    beforeEach(async () => {
      held = await engine.claimFor(await engine.register(), await engine.submit());
    });

    /** Calls made in the same turn of the event loop are one statement. */
    const together = <Answer>(call: (lease: ClaimedJob) => Promise<Answer>) =>
      Promise.all([call(first), call(held)]);

    it('results: those of the other are stored, its own are not', async () => {
      const before = await engine.row(first.jobId);
      const answers = await together((lease) =>
        engine.leases.succeed({ ...lease, results: '{}', message: null }),
      );
      expect(answers).toEqual([null, 'succeeded']);
      expect(await engine.row(first.jobId)).toEqual(before);
      expect([await engine.results(first.jobId), await engine.results(held.jobId)]).toEqual([0, 1]);
    });

    it('release: the other is handed back, the second attempt goes on', async () => {
      const before = await engine.row(first.jobId);
      expect(await together((lease) => engine.leases.release(lease))).toEqual([null, 'requested']);
      expect(await engine.row(first.jobId)).toEqual(before);
      expect(await engine.row(held.jobId)).toMatchObject({ status: 'requested', lease_id: null });
    });

    it('progress: that of the other shows, its own does not', async () => {
      const before = await engine.row(first.jobId);
      const states = await engine.leases.progress(
        [first, held].map((lease) => ({ ...lease, percent: 70, message: 'late' })),
      );
      expect([...states]).toEqual([[held.leaseId, 'in progress']]);
      expect(await engine.row(first.jobId)).toEqual(before);
      expect(await engine.row(held.jobId)).toMatchObject({ progress: 70, message: 'late' });
    });

    it("a lease of the other's does not write to its job", async () => {
      const crossed = { jobId: first.jobId, leaseId: held.leaseId };
      const before = await engine.row(first.jobId);
      expect(await engine.leases.succeed({ ...crossed, results: '{}', message: null })).toBeNull();
      expect(await engine.leases.release(crossed)).toBeNull();
      expect(
        (await engine.leases.progress([{ ...crossed, percent: 70, message: null }])).size,
      ).toBe(0);
      expect(await engine.row(first.jobId)).toEqual(before);
    });
  });

  it('leaves no trace among the attempts that are kept', async () => {
    const late = { ...first, results: '{}', message: null, problem: PROBLEM, retryable: true };
    await engine.leases.fail(late);
    await engine.leases.postpone({ ...late, afterSeconds: 60 });
    await engine.leases.release(late);
    const { rows } = await engine.owner.query(
      'SELECT attempt, outcome FROM job_attempts WHERE job_id = $1',
      [first.jobId],
    );
    expect(rows).toEqual([{ attempt: 1, outcome: 'lost' }]);
  });
});

describe('a lost worker that comes back in the moment in which its jobs are taken', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await Engine.open();
  });
  afterAll(() => engine?.close());

  it('and who reaps do not wait for each other', async () => {
    const workerId = await engine.register();
    // In order of id; by organization, and in the order of their claims, the other way round.
    const keys: JobKey[] = [];
    for (const start of ['30000000', '20000000', '10000000']) {
      keys.push(await engine.submit(`${start}-0000-4000-8000-000000000000`));
    }
    const jobs: ClaimedJob[] = [];
    for (const key of keys.toReversed()) {
      jobs.unshift(await engine.claimFor(workerId, key));
    }
    const middle = await engine.owner.connect();
    try {
      await middle.query('BEGIN');
      await middle.query('SELECT 1 FROM job_leases WHERE job_id = $1 FOR UPDATE', [jobs[1]?.jobId]);
      const waiting = (count: number) =>
        expect
          .poll(
            async () =>
              (
                await engine.owner.query(
                  `SELECT 1 FROM pg_stat_activity
                   WHERE datname = current_database() AND wait_event_type = 'Lock'`,
                )
              ).rows.length,
            { timeout: 10_000 },
          )
          .toBe(count);
      const successes = Promise.all(
        jobs.map((job) => engine.leases.succeed({ ...job, results: '{}', message: null })),
      );
      await waiting(1);
      const lost = engine.loseWorker(workerId);
      await waiting(2);
      await middle.query('COMMIT');
      await lost;
      expect(await successes).toEqual(['succeeded', 'succeeded', 'succeeded']);
    } finally {
      middle.release();
    }
    const { rows } = await engine.owner.query<{ deadlocks: number }>(
      `SELECT pg_stat_force_next_flush(), deadlocks::int FROM pg_stat_database
       WHERE datname = current_database()`,
    );
    expect(rows[0]?.deadlocks).toBe(0);
  });
});

describe('progress', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await Engine.open();
  });
  afterAll(() => engine?.close());

  it('never falls within an attempt, keeps its message, and begins anew with the next', async () => {
    const { key, leaseId } = await engine.jobIn('in progress');
    const lease = { jobId: key.jobId, leaseId };
    await engine.leases.progress([{ ...lease, percent: 60, message: 'more than half' }]);
    await engine.leases.progress([{ ...lease, percent: 40, message: null }]);
    expect(await engine.row(key.jobId)).toMatchObject({ progress: 60, message: 'more than half' });
    await engine.leases.release(lease);
    expect(await engine.row(key.jobId)).toMatchObject({ progress: 0, message: null });
  });

  it('tells which of its jobs are to be canceled, and which are lost', async () => {
    const running = await engine.jobIn('in progress');
    const canceling = await engine.jobIn('canceling');
    const ended = await engine.jobIn('succeeded');
    const states = await engine.leases.progress(
      [running, canceling, ended].map(({ key, leaseId }) => ({
        jobId: key.jobId,
        leaseId,
        percent: 1,
        message: null,
      })),
    );
    expect([...states]).toEqual(
      expect.arrayContaining([
        [running.leaseId, 'in progress'],
        [canceling.leaseId, 'canceling'],
      ]),
    );
    expect(states.size).toBe(2);
  });
});
