import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TaskProblem } from '../../src/compute/task.problem.js';
import sleep from '../../src/tasks/diagnostics/sleep/sleep.task.js';
import spin from '../../src/tasks/diagnostics/spin/spin.task.js';
import { runTask } from '../tasks/task-run.js';
import { effort, TIMEOUT } from './fuzz-seed.js';

/** From nothing to three milliseconds: longer ones differ in nothing but time. */
const seconds = fc.oneof(
  fc.constantFrom(0, -0, 5e-324, 1e-9, 0.0005),
  fc.double({ min: 0, max: 0.003, noNaN: true }),
);

describe('diagnostics that were made up', () => {
  it('sleep as long as asked, or fail as asked', { timeout: TIMEOUT }, async () => {
    const text = (maxLength: number) => fc.string({ minLength: 1, maxLength, unit: 'binary' });
    const asks = fc.record({
      seconds,
      steps: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constantFrom(1, 10_000)),
      fail: fc.option(
        fc.oneof(
          fc.constant(true as const),
          fc.record({
            status: fc.integer({ min: 400, max: 599 }),
            title: text(200),
            detail: text(2000),
          }),
        ),
        { nil: undefined },
      ),
    });
    await fc.assert(
      fc.asyncProperty(asks, async (ask) => {
        const ran = runTask(sleep, ask);
        if (ask.fail === true) await expect(ran).rejects.toThrow('asked to fail');
        else if (ask.fail) await expect(ran).rejects.toEqual(new TaskProblem(ask.fail));
        else expect((await ran).steps).toBe(ask.steps);
      }),
      effort(100),
    );
  });

  it('spin as long as asked', { timeout: TIMEOUT }, async () => {
    await fc.assert(
      fc.asyncProperty(seconds, async (asked) => {
        expect((await runTask(spin, { seconds: asked })).turns).toBeGreaterThanOrEqual(0);
      }),
      effort(50),
    );
  });
});
