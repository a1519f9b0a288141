import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { JobLogsStore, MAX_PIECE } from '../../src/jobs/logs/logs.store.js';
import type { JobKey } from '../../src/jobs/job/job.js';
import { Engine } from '../support/jobs.js';

describe('the log of a job', () => {
  let engine: Engine;
  let logs: JobLogsStore;

  beforeAll(async () => {
    engine = await Engine.open();
    logs = new JobLogsStore(engine.database);
  });
  afterAll(() => engine?.close());

  const START = { attempt: 0, number: 0 };
  const read = async (key: JobKey) =>
    (await logs.read(key, START, 100)).map(
      ({ attempt, number, text }) => `${attempt}.${number} ${text}`,
    );
  const pieces = (...numbers: number[]) =>
    numbers.map((number) => ({ number, text: `text ${number}` }));

  it('is written by the holder of the lease, many jobs in one statement', async () => {
    const [one, two] = [await engine.jobIn('in progress'), await engine.jobIn('canceling')];
    const held = await logs.append([
      { jobId: one.key.jobId, leaseId: one.leaseId, pieces: pieces(1, 2), keepFrom: 1 },
      { jobId: two.key.jobId, leaseId: two.leaseId, pieces: pieces(1), keepFrom: 1 },
    ]);
    expect([...held].toSorted()).toEqual([one.leaseId, two.leaseId].toSorted());
    expect(await read(one.key)).toEqual(['1.1 text 1', '1.2 text 2']);
    expect(await read(two.key)).toEqual(['1.1 text 1']);
  });

  it('is not touched by a stale lease: not added to, and nothing deleted', async () => {
    const { key, leaseId } = await engine.jobIn('in progress');
    const lease = { jobId: key.jobId, leaseId };
    await logs.append([{ ...lease, pieces: pieces(1), keepFrom: 1 }]);
    const stale = { ...lease, leaseId: randomUUID() };
    expect(await logs.append([{ ...stale, pieces: pieces(5), keepFrom: 5 }])).toEqual(new Set());
    await engine.leases.succeed({ ...lease, results: '{}', message: null });
    expect(await logs.append([{ ...lease, pieces: pieces(2), keepFrom: 2 }])).toEqual(new Set());
    expect(await read(key)).toEqual(['1.1 text 1']);
  });

  it('stays the same when a write is repeated, as after a lost answer', async () => {
    const { key, leaseId } = await engine.jobIn('in progress');
    const addition = { jobId: key.jobId, leaseId, pieces: pieces(1, 2), keepFrom: 1 };
    await logs.append([addition]);
    await logs.append([addition]);
    expect(await read(key)).toEqual(['1.1 text 1', '1.2 text 2']);
  });

  it('loses its oldest pieces when it is told to, of the current attempt alone', async () => {
    const { key, leaseId } = await engine.jobIn('in progress', 2);
    const first = { jobId: key.jobId, leaseId };
    await logs.append([{ ...first, pieces: pieces(1), keepFrom: 1 }]);
    await engine.leases.release(first);
    const second = await engine.claimFor(await engine.register(), key);
    await logs.append([{ ...second, pieces: pieces(1, 2, 3), keepFrom: 1 }]);
    await logs.append([{ ...second, pieces: pieces(4), keepFrom: 3 }]);
    expect(await read(key)).toEqual(['1.1 text 1', '2.3 text 3', '2.4 text 4']);
  });

  it('is read from any place on, by its own organization alone', async () => {
    const { key, leaseId } = await engine.jobIn('in progress');
    await logs.append([{ jobId: key.jobId, leaseId, pieces: pieces(1, 2, 3, 4), keepFrom: 1 }]);
    const page = await logs.read(key, { attempt: 1, number: 1 }, 2);
    expect(page.map(({ number }) => number)).toEqual([2, 3]);
    expect(await logs.read(key, { attempt: 1, number: 4 }, 2)).toEqual([]);
    expect(await logs.read({ ...key, orgId: randomUUID() }, START, 100)).toEqual([]);
  });

  it('refuses pieces that are too long: the database does', async () => {
    const { key, leaseId } = await engine.jobIn('in progress');
    const write = (text: string) =>
      logs.append([{ jobId: key.jobId, leaseId, pieces: [{ number: 1, text }], keepFrom: 1 }]);
    await expect(write('x'.repeat(MAX_PIECE + 1))).rejects.toThrow(/job_logs_small_pieces/);
    await write('x'.repeat(MAX_PIECE));
  });
});
