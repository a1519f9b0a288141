import { z } from 'zod';

const statistic = z.number().nullable();

/** What every estimation tells about itself. */
export const summarySchema = z.strictObject({
  points: z.int().min(0).meta({ description: 'Points or cells asked for' }),
  estimated: z
    .int()
    .min(0)
    .meta({ description: 'How many of them have an estimate (the rest are null)' }),
  filtered_out: z.int().min(0).meta({ description: 'How many of them `target.filter` left out' }),
  min: statistic.meta({ description: 'Smallest estimate; null when there is none' }),
  mean: statistic.meta({ description: 'Mean of the estimates; null when there is none' }),
  max: statistic.meta({ description: 'Largest estimate; null when there is none' }),
  seconds: z.number().min(0).meta({ description: 'Time of computing' }),
});

/** One number for each point: NaN while it has none. All threads of a job can write to it. */
export function blank(count: number): Float64Array {
  return new Float64Array(new SharedArrayBuffer(8 * count)).fill(NaN);
}

/** A plain array for JSON, with null for points without an estimate. */
export function orNull(numbers: Float64Array): (number | null)[] {
  const list: (number | null)[] = [];
  for (const number of numbers) list.push(Number.isNaN(number) ? null : number);
  return list;
}

/** Statistics of the estimates that are there. */
export function summarize(estimates: Float64Array) {
  let estimated = 0;
  let sum = 0;
  let min = Infinity;
  let max = -Infinity;
  for (const estimate of estimates) {
    if (Number.isNaN(estimate)) continue;
    estimated++;
    sum += estimate;
    if (estimate < min) min = estimate;
    if (estimate > max) max = estimate;
  }
  const some = estimated > 0;
  return {
    points: estimates.length,
    estimated,
    min: some ? min : null,
    mean: some ? sum / estimated : null,
    max: some ? max : null,
  };
}

/** One line for people. */
export function tellEstimates(
  points: number,
  estimated: number,
  noun: string,
  filteredOut = 0,
): string {
  const missing = points - estimated - filteredOut;
  const left = filteredOut === 0 ? '' : `; target.filter leaves ${filteredOut} out`;
  const all = `Estimated ${estimated} of ${points} ${noun}${left}`;
  return missing === 0
    ? all
    : `${all}; the other ${missing} have too few samples in the search ellipsoid`;
}
