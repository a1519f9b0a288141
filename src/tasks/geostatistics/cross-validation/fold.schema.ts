import { createHash } from 'node:crypto';
import { z } from 'zod';

/**
 * How samples are dealt into folds; each fold is estimated from all the others.
 * @param most samples allowed
 */
export function foldsSchema(most: number) {
  return z
    .discriminatedUnion('type', [
      z
        .strictObject({ type: z.literal('leave_one_out') })
        .meta({ description: 'Each sample is a fold of its own' }),
      z
        .strictObject({
          type: z.literal('k_fold'),
          k: z
            .int()
            .min(2)
            .max(most)
            .meta({ description: 'Number of folds, at most one for each sample' }),
          seed: z.int().min(0).max(0xffffffff).default(1).meta({
            description:
              'Samples are dealt in the order of SHA-256("seed:index"): the same seed, the same folds',
          }),
        })
        .meta({ description: 'Folds of equal size, but for one sample, dealt at random' }),
      z
        .strictObject({
          type: z.literal('explicit'),
          assignment: z
            .array(z.int().min(0).max(0xffffffff))
            .min(2)
            .max(most)
            .meta({ description: 'The number of the fold of each sample, in the same order' }),
        })
        .meta({ description: 'Folds as given, such as one for each drillhole' }),
    ])
    .default({ type: 'leave_one_out' })
    .meta({ description: 'Which samples are left out together' });
}

export type Folds = z.output<ReturnType<typeof foldsSchema>>;

/** What is wrong with folds for so many samples, if anything is. */
export function foldsMistake(
  folds: Folds,
  samples: number,
): { path: string; message: string } | undefined {
  if (folds.type === 'k_fold' && folds.k > samples) {
    return { path: 'k', message: `Expected at most one fold for each of the ${samples} samples` };
  }
  if (folds.type !== 'explicit') return undefined;
  const { assignment } = folds;
  if (assignment.length !== samples) {
    const message = `Expected one fold for each of the ${samples} samples, not ${assignment.length}`;
    return { path: 'assignment', message };
  }
  if (assignment.every((fold) => fold === assignment[0])) {
    const message = 'Expected at least 2 folds: no sample is left to estimate from';
    return { path: 'assignment', message };
  }
  return undefined;
}

/** The number of the fold of each sample: for `k_fold` 0 … k − 1, for `leave_one_out` its index. */
export function assign(folds: Folds, samples: number): number[] {
  if (folds.type === 'explicit') return folds.assignment;
  const indices = Array.from({ length: samples }, (_, i) => i);
  if (folds.type === 'leave_one_out') return indices;
  const lots = indices.map((i) => createHash('sha256').update(`${folds.seed}:${i}`).digest('hex'));
  const dealt = indices.toSorted((i, j) => (lots[i]! < lots[j]! ? -1 : 1));
  const assignment = indices.slice();
  dealt.forEach((sample, turn) => (assignment[sample] = turn % folds.k));
  return assignment;
}
