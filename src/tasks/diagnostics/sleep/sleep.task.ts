import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { defineTask } from '../../../compute/task.js';
import { TaskProblem } from '../../../compute/task.problem.js';

const DAY = 86_400;

const parameters = z.strictObject({
  seconds: z.number().min(0).max(DAY).meta({ description: 'How long to sleep in all' }),
  steps: z.int().min(1).max(10_000).default(10).meta({
    description: 'Number of equal naps; progress is told after each',
  }),
  fail: z
    .union(
      [
        z
          .literal(true)
          .meta({ description: 'End with an unexpected error, which becomes a 500 problem' }),
        z
          .strictObject({
            status: z.int().min(400).max(599),
            title: z.string().min(1).max(200),
            detail: z.string().min(1).max(2000),
          })
          .meta({ description: 'End with this problem' }),
      ],
      { error: 'must be true or an object of status, title and detail' },
    )
    .optional()
    .meta({ description: 'Fail after the last nap instead of succeeding' }),
});

const results = z.strictObject({
  message: z.string().meta({ description: 'One line for people' }),
  seconds: z.number().min(0).meta({ description: 'How long it slept, by its own clock' }),
  steps: z.int().min(1).meta({ description: 'Number of naps' }),
});

export default defineTask({
  runner: 'inline',
  topic: 'diagnostics',
  name: 'sleep',
  displayName: 'Sleep',
  version: '1.0.0',
  description:
    'Sleeps without using the processor, telling its progress after each nap, and then succeeds or ' +
    'fails as asked: for trying out progress, failure and cancel.',
  parameters,
  results,
  example: { seconds: 1, steps: 4 },
  timeoutSeconds: DAY + 60,
  /**
   * @throws Error when `fail` is true, TaskProblem when it is a problem, and the signal's reason as
   *   soon as the job is canceled
   */
  async run({ seconds, steps, fail }, context) {
    const started = performance.now();
    for (let step = 1; step <= steps; step++) {
      // Measured from the start: late wake-ups do not add up.
      const until = started + (1000 * seconds * step) / steps;
      const waitMs = Math.ceil(until - performance.now());
      if (waitMs > 0) {
        const { signal } = context;
        await sleep(waitMs, undefined, { signal }).catch((error: unknown) => {
          signal.throwIfAborted();
          throw error;
        });
      }
      context.progress((100 * step) / steps, `Slept ${step} of ${steps} naps`);
    }
    if (fail === true) throw new Error('The sleep task was asked to fail.');
    if (fail) throw new TaskProblem(fail);
    const slept = Math.round(performance.now() - started) / 1000;
    return { message: `Slept ${slept} seconds in ${steps} naps`, seconds: slept, steps };
  },
});
