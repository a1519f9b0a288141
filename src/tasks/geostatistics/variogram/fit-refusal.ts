import { TaskProblem } from '../../../compute/task.problem.js';
import type { SampleSet } from '../samples/sample-set.js';
import type { Lag } from './experimental-semivariogram.js';
import { type Fit, fittedLags } from './variogram-fit.js';

/** A nugget, a contribution and a range are three unknowns. */
const FEWEST_LAGS = 3;
/** The largest semivariance that a variogram may have. */
const LARGEST = 1e100;
/** Smaller ones have lost digits: differences below 1e-154 have squares that are 0. */
const SMALLEST = 1e-280;

/**
 * Refuses lags that no model can be fitted to.
 * @param near pairs of near-duplicates, by index
 * @throws TaskProblem 422 `too-few-lags`, `no-variation` or `values-out-of-scale`
 */
export function refuseToFit(
  lags: readonly Lag[],
  negligible: number,
  near: readonly (readonly [number, number])[],
  samples: SampleSet,
): void {
  const usable = fittedLags(lags, negligible);
  if (usable.length < FEWEST_LAGS) throw tooFewLags(usable.length, lags.length, near, samples);
  const largest = Math.max(...usable.map(({ semivariance }) => semivariance));
  if (largest > LARGEST) throw noScale(samples, true);
  if (largest < SMALLEST) throw vary(samples, largest) ? noScale(samples, false) : noVariation();
}

/**
 * Refuses a fit whose semivariances a model cannot hold.
 * @throws TaskProblem 422 `values-out-of-scale`
 */
export function refuseFit({ nugget, contribution }: Fit, samples: SampleSet): void {
  if (nugget > LARGEST || contribution > LARGEST) throw noScale(samples, true);
}

function tooFewLags(
  usable: number,
  all: number,
  near: readonly (readonly [number, number])[],
  { listed }: SampleSet,
): TaskProblem {
  const [pair] = near;
  const more = near.length > 1 ? ` (and ${near.length - 1} more pairs)` : '';
  const left =
    usable < all && pair
      ? ` Classes of samples that are almost at the same place, as ${listed[pair[0]]} and ${listed[pair[1]]}${more} of ` +
        'source.coordinates, do not count.'
      : '';
  return new TaskProblem({
    status: 422,
    slug: 'too-few-lags',
    title: 'There are too few lags to fit a variogram.',
    detail:
      `${usable} of the distance classes hold pairs of samples; the fit needs ${FEWEST_LAGS}.${left} ` +
      'Raise cutoff, or lower lag.',
  });
}

/** Whether values vary, where their semivariances are 0 or nearly so. */
function vary({ values }: SampleSet, largest: number): boolean {
  const [least, most] = extremes(values);
  const difference = values[most]! - values[least]!;
  // Far apart samples may differ by more: then those up to cutoff are equal indeed.
  return largest > 0 || (difference > 0 && difference * difference < SMALLEST);
}

function noScale({ values, listed }: SampleSet, large: boolean): TaskProblem {
  const [least, most] = extremes(values);
  return new TaskProblem({
    status: 422,
    slug: 'values-out-of-scale',
    title: 'The values are too large or too small for a variogram.',
    detail:
      `The values differ by too ${large ? 'much' : 'little'} for their squares, most of all ` +
      `source.values[${listed[least]}] and source.values[${listed[most]}]: semivariances may be ${SMALLEST} to ` +
      `${LARGEST}. Give the values in a ${large ? 'larger' : 'smaller'} unit, or correct these two.`,
  });
}

function extremes(values: Float64Array): [least: number, most: number] {
  let [least, most] = [0, 0];
  values.forEach((value, i) => {
    if (value < values[least]!) least = i;
    if (value > values[most]!) most = i;
  });
  return [least, most];
}

function noVariation(): TaskProblem {
  return new TaskProblem({
    status: 422,
    slug: 'no-variation',
    title: 'The values do not vary.',
    detail: 'All pairs of samples up to cutoff have equal values, so there is no variogram to fit.',
  });
}
