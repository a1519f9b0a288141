import { describe, expect, it } from 'vitest';
import sleep from '../../src/tasks/diagnostics/sleep/sleep.task.js';
import spin from '../../src/tasks/diagnostics/spin/spin.task.js';
import { mistakes, recordingContext, runTask } from './task-run.js';

describe('the sleep task', () => {
  it('tells its progress after every nap', async () => {
    const context = recordingContext();
    const results = await runTask(sleep, { seconds: 0.02, steps: 4 }, context);
    expect(context.told.map(({ percent }) => percent)).toEqual([25, 50, 75, 100]);
    expect(context.told.at(-1)!.message).toBe('Slept 4 of 4 naps');
    expect(results.steps).toBe(4);
    expect(results.seconds).toBeGreaterThan(0.015);
  });

  it('fails with an ordinary error, or with the problem it was given', async () => {
    const unexpected = runTask(sleep, { seconds: 0, fail: true });
    await expect(unexpected).rejects.toMatchObject({ name: 'Error' });
    const problem = { status: 409, title: 'Busy.', detail: 'The press is in use.' };
    await expect(runTask(sleep, { seconds: 0, fail: problem })).rejects.toMatchObject({
      name: 'TaskProblem',
      problem,
    });
  });

  it('wakes up at a cancel with the reason of the signal', async () => {
    const cancel = new AbortController();
    const running = runTask(sleep, { seconds: 3600, steps: 1 }, recordingContext(cancel.signal));
    cancel.abort(new Error('canceled'));
    await expect(running).rejects.toThrow('canceled');
  });

  it('refuses what it cannot do, and says where', () => {
    expect(mistakes(sleep, { seconds: -1 })[0]).toMatch(/^seconds: /);
    expect(mistakes(sleep, { seconds: 86_401 })[0]).toMatch(/^seconds: /);
    expect(mistakes(sleep, { seconds: 1, steps: 1.5 })[0]).toMatch(/^steps: /);
    expect(
      mistakes(sleep, { seconds: 1, fail: { status: 200, title: 'x', detail: 'y' } })[0],
    ).toMatch(/^fail/);
    expect(mistakes(sleep, { seconds: 1, nap: 2 })[0]).toMatch(/nap/);
  });
});

describe('the spin task', () => {
  it('is busy for as long as it was asked, and tells nothing', async () => {
    const context = recordingContext();
    const results = await runTask(spin, { seconds: 0.03 }, context);
    expect(results.seconds).toBeGreaterThanOrEqual(0.03);
    expect(results.turns).toBeGreaterThan(0);
    expect(context.told).toEqual([]);
  });

  it('does not look at its signal', async () => {
    const cancel = new AbortController();
    cancel.abort(new Error('canceled'));
    const results = await runTask(spin, { seconds: 0.01 }, recordingContext(cancel.signal));
    expect(results.message).toMatch(/^Was busy/);
  });
});
