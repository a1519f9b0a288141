import { type Shape, unitSemivariance } from '../variogram-model/unit-semivariance.js';
import type { Lag } from './experimental-semivariogram.js';

/** One structure and a nugget, with how well they fit. */
export interface Fit {
  readonly nugget: number;
  readonly contribution: number;
  readonly range: number;
  /** Σ N / h² · (γ̂ − γ)². */
  readonly weightedSumOfSquares: number;
  /**
   * `inside` the ranges tried; `longest`: γ̂ keeps rising; `shortest`: γ̂ has levelled off within the
   * first class; `plateau`: many ranges fit alike, and this is the longest of them; `none`: no structure fits better than a nugget alone, and the range means nothing.
   */
  readonly edge: 'inside' | 'longest' | 'shortest' | 'plateau' | 'none';
}

/** Longest range tried, as a multiple of the longest mean distance: beyond it γ is a straight line. */
const MAX_RANGE = 10;
/** Shortest range tried, as a part of the shortest mean distance: below it γ is flat. */
const SHORTEST_RANGE = 1 / 3;
/** The ranges that a variogram may have. */
const [LEAST_RANGE, GREATEST_RANGE] = [1e-9, 1e12];
/** Ranges tried before the best ones are refined: neighbours differ by less than 2 %. */
const RANGES_TRIED = 240;
/** A fit that is better by less than this part is not better: the rest is rounding. */
const BETTER = 1e-9;

/**
 * Fits nugget + contribution · γ₁(h / range) by weighted least squares with weights N / h² (so does
 * gstat's fit.method 7; compare Cressie 1985), with nugget and contribution not negative.
 *
 * For a given range the other two are a linear problem, solved exactly; what is left is a search in
 * one dimension (variable projection: Golub & Pereyra 1973). It tries ranges from a third of the
 * shortest to ten times the longest distance and refines every local minimum, so it needs no first
 * guess and finds the lowest. The slope of a linear structure is contribution / range: its range is
 * fixed at `cutoff`, and so is that of a structure that contributes nothing.
 *
 * Distances and semivariances are taken in units of about their largest, which are powers of two: the
 * fit is the same, digit by digit, in every unit of that kind, and nothing over- or underflows.
 * @param lags at least one with a distance above `negligible` and a semivariance above 0
 * @param negligible classes with a mean distance up to here are left out, in the unit of `cutoff`
 */
export function fitVariogram(
  lags: readonly Lag[],
  shape: Shape,
  cutoff: number,
  negligible = 0,
): Fit {
  const used = fittedLags(lags, negligible);
  const length = powerOfTwo(Math.max(...used.map(({ distance }) => distance)));
  const square = powerOfTwo(Math.max(...used.map(({ semivariance }) => semivariance)));
  const scaled = used.map(({ pairs, distance, semivariance }) => ({
    weight: pairs / (distance / length) ** 2,
    distance: distance / length,
    semivariance: semivariance / square,
  }));
  const fit = fitScaled(scaled, shape, cutoff / length, length);
  return {
    nugget: fit.nugget * square,
    contribution: fit.contribution * square,
    range: clamp(fit.range * length),
    weightedSumOfSquares: ((fit.weightedSumOfSquares * square) / length / length) * square,
    edge: fit.edge,
  };
}

/** The classes that a model is fitted to: those whose distance is more than that of one place. */
export function fittedLags(lags: readonly Lag[], negligible: number): Lag[] {
  return lags.filter(({ distance }) => distance > negligible);
}

/** One class, in the units of the fit. */
interface Item {
  readonly weight: number;
  readonly distance: number;
  readonly semivariance: number;
}

/** @param length the unit of distances, in that of the coordinates */
function fitScaled(items: readonly Item[], shape: Shape, cutoff: number, length: number): Fit {
  const at = (range: number) => bestAtRange(items, shape, range);
  const flat = flatFit(items, cutoff);
  if (shape.type === 'linear') {
    const line = at(cutoff);
    return isBetter(line, flat) ? { ...line, edge: 'inside' } : { ...flat, edge: 'none' };
  }
  const shortest = clamp(items[0]!.distance * SHORTEST_RANGE * length) / length;
  const longest = clamp(items.at(-1)!.distance * MAX_RANGE * length) / length;
  const step = Math.log(longest / shortest) / (RANGES_TRIED - 1);
  const tried = Array.from({ length: RANGES_TRIED }, (_, i) => at(shortest * Math.exp(i * step)));
  let best = tried[0]!;
  for (let i = 0; i < RANGES_TRIED; i++) {
    const here = tried[i]!;
    const before = tried[i - 1] ?? here;
    const after = tried[i + 1] ?? here;
    if (
      here.weightedSumOfSquares > Math.min(before.weightedSumOfSquares, after.weightedSumOfSquares)
    )
      continue;
    const refined = refine(at, before.range, after.range);
    const lowest = refined.weightedSumOfSquares < here.weightedSumOfSquares ? refined : here;
    if (lowest.weightedSumOfSquares < best.weightedSumOfSquares) best = lowest;
  }
  if (!isBetter(best, flat)) return { ...flat, edge: 'none' };
  if (best.range > longest * 0.999) return { ...best, edge: 'longest' };
  const asGood = best.weightedSumOfSquares + BETTER * flat.weightedSumOfSquares;
  const plateau = tried.filter((each) => each.weightedSumOfSquares <= asGood);
  if (plateau.length > 1) {
    // Rounding must not choose among them.
    const last = plateau.at(-1)!;
    return { ...last, edge: last === tried.at(-1) ? 'longest' : 'plateau' };
  }
  return { ...best, edge: best.range < shortest * 1.001 ? 'shortest' : 'inside' };
}

type Candidate = Omit<Fit, 'edge'>;

function isBetter(candidate: Candidate, flat: Candidate): boolean {
  return (
    candidate.contribution > 0 &&
    candidate.weightedSumOfSquares < flat.weightedSumOfSquares * (1 - BETTER)
  );
}

/** A nugget alone: the weighted mean of the semivariances. */
function flatFit(items: readonly Item[], range: number): Candidate {
  let [w, wg] = [0, 0];
  for (const { weight, semivariance } of items) {
    w += weight;
    wg += weight * semivariance;
  }
  const nugget = wg / w;
  let sum = 0;
  for (const { weight, semivariance } of items) sum += weight * (semivariance - nugget) ** 2;
  return { nugget, contribution: 0, range, weightedSumOfSquares: sum };
}

/** Golden section search (Kiefer 1953) for the lowest sum between two ranges. */
function refine(at: (range: number) => Candidate, from: number, to: number): Candidate {
  const golden = (Math.sqrt(5) - 1) / 2;
  let [low, high] = [from, to];
  let left = at(high - golden * (high - low));
  let right = at(low + golden * (high - low));
  while (high - low > 1e-10 * high) {
    if (left.weightedSumOfSquares <= right.weightedSumOfSquares) {
      high = right.range;
      right = left;
      left = at(high - golden * (high - low));
    } else {
      low = left.range;
      left = right;
      right = at(low + golden * (high - low));
    }
  }
  return left.weightedSumOfSquares <= right.weightedSumOfSquares ? left : right;
}

/**
 * The best nugget and contribution, neither negative, for one range. The sums are those of differences
 * from the weighted means: a class that outweighs all others by many orders then leaves them their say.
 */
function bestAtRange(items: readonly Item[], shape: Shape, range: number): Candidate {
  const units = items.map(({ distance }) => unitSemivariance(shape, distance / range));
  let [w, wf, wff, wg, wfg] = [0, 0, 0, 0, 0];
  items.forEach(({ weight, semivariance }, i) => {
    const f = units[i]!;
    w += weight;
    wf += weight * f;
    wff += weight * f * f;
    wg += weight * semivariance;
    wfg += weight * f * semivariance;
  });
  const [meanF, meanG] = [wf / w, wg / w];
  let [spread, joint] = [0, 0];
  items.forEach(({ weight, semivariance }, i) => {
    const f = units[i]! - meanF;
    spread += weight * f * f;
    joint += weight * f * (semivariance - meanG);
  });
  const candidates: [nugget: number, contribution: number][] = [[meanG, 0]];
  if (wff > 0) candidates.push([0, wfg / wff]);
  // Units that differ by less than 1e-12 are equal but for rounding.
  if (spread > 1e-24 * wff) {
    const slope = joint / spread;
    candidates.push([meanG - slope * meanF, slope]);
  }
  let best: Candidate | undefined;
  for (const [nugget, contribution] of candidates) {
    if (!(nugget >= 0 && contribution >= 0)) continue;
    let sum = 0;
    items.forEach(({ weight, semivariance }, i) => {
      const miss = semivariance - nugget - contribution * units[i]!;
      sum += weight * miss * miss;
    });
    if (!best || sum < best.weightedSumOfSquares) {
      best = { nugget, contribution, range, weightedSumOfSquares: sum };
    }
  }
  return best!;
}

function clamp(range: number): number {
  return Math.min(GREATEST_RANGE, Math.max(LEAST_RANGE, range));
}

/** The largest power of two that is not above a number in (0, ∞), but for rounding. */
function powerOfTwo(number: number): number {
  return 2 ** Math.floor(Math.log2(number));
}
