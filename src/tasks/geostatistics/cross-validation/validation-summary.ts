import { z } from 'zod';

const statistic = z.number().nullable();

/** How well estimates agree with what was measured. */
export const validationSummarySchema = z.strictObject({
  samples: z.int().min(2).meta({ description: 'Number of samples' }),
  folds: z.int().min(2).meta({ description: 'Number of folds' }),
  estimated: z.int().min(0).meta({
    description: 'Samples that have an estimate; the statistics are theirs, and null without any',
  }),
  mean_error: statistic.meta({ description: 'Mean residual; near 0 when nothing is biased' }),
  root_mean_squared_error: statistic.meta({ description: 'Root of the mean squared residual' }),
  mean_squared_deviation_ratio: statistic.meta({
    description:
      'Mean squared z-score: near 1 when the kriging variances are right, above 1 when they are too small',
  }),
  correlation: statistic.meta({
    description: 'Of measured and estimated values (Pearson); null when one of them does not vary',
  }),
  seconds: z.number().min(0).meta({ description: 'Time of computing' }),
});

/**
 * Statistics of a cross-validation; NaN in `estimates` and `zScores` is left out.
 * Each is null when there is nothing to make it of, or when no number can hold it.
 */
export function validate(
  observed: readonly number[],
  estimates: Float64Array,
  zScores: Float64Array,
): Omit<z.output<typeof validationSummarySchema>, 'samples' | 'folds' | 'seconds'> {
  const pairs: [measured: number, estimated: number][] = [];
  observed.forEach((value, i) => {
    if (!Number.isNaN(estimates[i])) pairs.push([value, estimates[i]!]);
  });
  const residuals = pairs.map(([measured, estimated]) => measured - estimated);
  const scores = Array.from(zScores).filter((score) => !Number.isNaN(score));
  const ratio = rootMeanSquare(scores);
  return {
    estimated: pairs.length,
    mean_error: finite(mean(residuals)),
    root_mean_squared_error: finite(rootMeanSquare(residuals)),
    mean_squared_deviation_ratio: finite(ratio * ratio),
    correlation: finite(
      correlation(
        pairs.map(([measured]) => measured),
        pairs.map(([, estimated]) => estimated),
      ),
    ),
  };
}

function finite(number: number): number | null {
  return Number.isFinite(number) ? number : null;
}

/** NaN of nothing. */
function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
}

/** In units of the largest, whose square might overflow. */
function rootMeanSquare(numbers: readonly number[]): number {
  const unit = largest(numbers);
  if (unit === 0) return numbers.length === 0 ? NaN : 0;
  return unit * Math.sqrt(mean(numbers.map((number) => (number / unit) ** 2)));
}

function correlation(a: readonly number[], b: readonly number[]): number {
  const [da, db] = [deviations(a), deviations(b)];
  const joint = da.reduce((sum, each, i) => sum + each * db[i]!, 0);
  const squares = rootMeanSquare(da) * rootMeanSquare(db) * a.length;
  return Math.max(-1, Math.min(1, joint / squares));
}

/** Differences from the mean, in units of the largest: all 0 when they are but rounding. */
function deviations(numbers: readonly number[]): number[] {
  const middle = mean(numbers);
  const from = numbers.map((number) => number - middle);
  const unit = largest(from);
  if (unit <= 1e-14 * largest(numbers)) return from.map(() => 0);
  return from.map((each) => each / unit);
}

function largest(numbers: readonly number[]): number {
  return numbers.reduce((most, number) => Math.max(most, Math.abs(number)), 0);
}
