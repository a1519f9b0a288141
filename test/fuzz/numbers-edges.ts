import fc from 'fast-check';
import { runTask } from '../tasks/task-run.js';
import { TaskProblem } from '../../src/compute/task.problem.js';

/** Numbers near the edges of a task's parameters: decimal steps, extremes, denormal ones, neighbours of 0 and 1. */
export function edgy(least: number, most: number): fc.Arbitrary<number> {
  return fc
    .oneof(
      { weight: 4, arbitrary: fc.integer({ min: -60, max: 60 }).map((n) => n / 10) },
      { weight: 2, arbitrary: fc.integer({ min: -20, max: 20 }) },
      {
        weight: 2,
        arbitrary: fc
          .tuple(fc.integer({ min: -330, max: 101 }), fc.integer({ min: -99, max: 99 }))
          .map(([exponent, digits]) => Number(`${digits}e${exponent}`)),
      },
      {
        weight: 1,
        arbitrary: fc.constantFrom(least, most, 0, Number.EPSILON, 1 + Number.EPSILON, 5e-324),
      },
    )
    .map((number) => Math.min(most, Math.max(least, number)));
}

/** Lengths that a task takes: 1e-9 to 1e12. */
export const lengths: fc.Arbitrary<number> = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 60 }).map((n) => n / 10) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.integer({ min: -9, max: 11 }), fc.integer({ min: 1, max: 9 }))
      .map(([exponent, digit]) => Number(`${digit}e${exponent}`)),
  },
  { weight: 1, arbitrary: fc.constantFrom(1e-9, 1e12) },
);

/** Samples anywhere: few enough to meet each other at the edges, in 2-D or 3-D. */
export const anySource = fc
  .tuple(fc.constantFrom(2, 3), fc.integer({ min: 2, max: 12 }))
  .chain(([dimension, count]) => {
    const at = edgy(-1e12, 1e12);
    const exact = { minLength: count, maxLength: count };
    return fc.record({
      coordinates: fc.array(fc.array(at, { minLength: dimension, maxLength: dimension }), exact),
      values: fc.array(edgy(-1e100, 1e100), exact),
    });
  });

/**
 * What becomes of a task: its results, checked as the service checks them, or its problem. What would
 * be an `internal-error` or `invalid-results` in the service is thrown.
 */
export async function outcomeOf<T>(
  task: Parameters<typeof runTask>[0],
  parameters: unknown,
): Promise<{ results: T } | { slug: string; detail: string }> {
  try {
    const results = (await runTask(task, parameters)) as T;
    // What JSON cannot hold would arrive as null.
    const told = JSON.parse(JSON.stringify(results)) as T;
    if (JSON.stringify(told).includes('Infinity')) throw new Error('Infinity in the results');
    return { results: told };
  } catch (error) {
    if (!(error instanceof TaskProblem) || error.problem.status !== 422) throw error;
    return { slug: error.problem.slug ?? '', detail: error.problem.detail };
  }
}
