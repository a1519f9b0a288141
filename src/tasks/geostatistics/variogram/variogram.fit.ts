import { unitSemivariance } from '../variogram.function.js';
import type { VariogramType } from '../variogram.schema.js';
import type { Lag } from './experimental.semivariogram.js';

/** One structure and a nugget, with how well they fit. */
interface Fit {
  readonly nugget: number;
  readonly contribution: number;
  readonly range: number;
  /** Σ N / h² · (γ̂ − γ)². */
  readonly weightedSumOfSquares: number;
  /** True when no range up to the longest tried one is the best: γ̂ keeps rising. */
  readonly rangeAtLimit: boolean;
}

/** Longest range tried, as a multiple of the longest mean distance: beyond it γ is a straight line. */
const LONGEST_RANGE = 10;
/** Ranges tried before the best ones are refined: neighbours differ by less than 2 %. */
const RANGES_TRIED = 240;

/**
 * Fits nugget + contribution · γ₁(h / range) by weighted least squares with weights N / h² (so does
 * gstat's fit.method 7; compare Cressie 1985), with nugget and contribution not negative.
 *
 * For a given range the other two are a linear problem, solved exactly; what is left is a search in
 * one dimension (variable projection: Golub & Pereyra 1973). It tries ranges from a third of the
 * shortest to ten times the longest distance and refines every local minimum, so it needs no first
 * guess and finds the lowest. The slope of a linear structure is contribution / range: its range is
 * fixed at `cutoff`.
 * @param lags at least three with distances above 0
 */
export function fitVariogram(lags: readonly Lag[], type: VariogramType, cutoff: number): Fit {
  const used = lags.filter(({ distance }) => distance > 0);
  const at = (range: number) => bestAtRange(used, type, range);
  if (type === 'linear') return { ...at(cutoff), rangeAtLimit: false };

  const shortest = used[0]!.distance / 3;
  const longest = used.at(-1)!.distance * LONGEST_RANGE;
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
  return { ...best, rangeAtLimit: best.contribution > 0 && best.range > longest * 0.999 };
}

type Candidate = Omit<Fit, 'rangeAtLimit'>;

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

/** The best nugget and contribution, neither negative, for one range. */
function bestAtRange(lags: readonly Lag[], type: VariogramType, range: number): Candidate {
  let [w, wf, wff, wg, wfg] = [0, 0, 0, 0, 0];
  for (const { pairs, distance, semivariance } of lags) {
    const weight = pairs / (distance * distance);
    const f = unitSemivariance(type, distance / range);
    w += weight;
    wf += weight * f;
    wff += weight * f * f;
    wg += weight * semivariance;
    wfg += weight * f * semivariance;
  }
  const candidates: [nugget: number, contribution: number][] = [[wg / w, 0]];
  if (wff > 0) candidates.push([0, wfg / wff]);
  const determinant = w * wff - wf * wf;
  if (determinant > 1e-12 * w * wff) {
    candidates.push([(wff * wg - wf * wfg) / determinant, (w * wfg - wf * wg) / determinant]);
  }
  let best: Candidate | undefined;
  for (const [nugget, contribution] of candidates) {
    if (nugget < 0 || contribution < 0) continue;
    let sum = 0;
    for (const { pairs, distance, semivariance } of lags) {
      const miss = semivariance - nugget - contribution * unitSemivariance(type, distance / range);
      sum += (pairs / (distance * distance)) * miss * miss;
    }
    if (!best || sum < best.weightedSumOfSquares) {
      best = { nugget, contribution, range, weightedSumOfSquares: sum };
    }
  }
  return best!;
}
