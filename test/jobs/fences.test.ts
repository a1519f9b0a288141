import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ClaimedJob } from '../../src/jobs/lease.store.js';
import { Engine, PROBLEM } from '../support/jobs.js';

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

  it('its release and its cancel take nothing from the second attempt', async () => {
    expect(await engine.leases.release(first)).toBeNull();
    expect(await engine.leases.endCanceled(first)).toBeNull();
    expect((await engine.row(first.jobId)).lease_id).toBe(second.leaseId);
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
