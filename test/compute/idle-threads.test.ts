import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CatalogueEntry } from '../../src/compute/catalogue/task-catalogue.js';
import type { Attempt } from '../../src/compute/runners/attempt.js';
import { threadsOfEach } from '../../src/compute/worker/idle-threads.js';
import { Run } from '../../src/compute/worker/run.js';
import type { ClaimedJob } from '../../src/jobs/lease/lease.store.js';

describe('the threads of idle slots', () => {
  it('are shared by the jobs that have a use for them, all of them and no more', () => {
    expect(threadsOfEach(1, 3)).toEqual([4]);
    expect(threadsOfEach(2, 3)).toEqual([3, 2]);
    expect(threadsOfEach(3, 0)).toEqual([1, 1, 1]);
    expect(threadsOfEach(2, -1)).toEqual([1, 1]);
    fc.assert(
      fc.property(fc.nat(20), fc.nat(200), (jobs, idle) => {
        const each = threadsOfEach(jobs, idle);
        const lent = each.reduce((sum, threads) => sum + threads - 1, 0);
        expect(lent).toBe(jobs === 0 ? 0 : idle);
        expect(Math.max(1, ...each) - Math.min(...each, Infinity)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('are seen by a running task, up to as many as it has a use for', async () => {
    const attempts: Attempt[] = [];
    const runner = {
      run: async (attempt: Attempt) => {
        attempts.push(attempt);
        return { kind: 'stopped' } as const;
      },
    };
    const runOf = (resources: object) =>
      new Run(
        { jobId: 'job' } as ClaimedJob,
        { task: { runner: 'thread', timeoutSeconds: 1, ...resources } } as CatalogueEntry,
        runner,
        { report: () => undefined },
      );
    const wide = runOf({ resources: { threads: 3 } });
    await wide.execute('{}');
    expect([...attempts[0]!.threads!]).toEqual([1]);
    wide.mayUse(2);
    expect([...attempts[0]!.threads!]).toEqual([2]);
    wide.mayUse(8);
    expect([...attempts[0]!.threads!]).toEqual([3]);
    const narrow = runOf({});
    narrow.mayUse(8);
    await narrow.execute('{}');
    expect(attempts[1]!.threads).toBeNull();
  });
});
