import type { NearestSamples } from '../samples/near-duplicates.js';
import type { SampleSet } from '../samples/sample-set.js';
import type { WorkPace } from '../work-pace.js';
import { DistanceClasses } from './distance-classes.js';

/** One class of distances of the experimental semivariogram. */
export interface Lag {
  /** Number of pairs. */
  readonly pairs: number;
  /** Mean distance of the pairs, in the unit of the coordinates. */
  readonly distance: number;
  /** Half the mean squared difference of the pairs, in squared units of the values. */
  readonly semivariance: number;
}

/** Below it a square has lost digits to underflow. */
const SMALLEST_SQUARE = 1e-290;

/** From here to the end of a class rounding does not reach its beginning: see {@link DistanceClasses}. */
const MIDDLE = 0.002;

/**
 * The omnidirectional semivariogram γ̂(h) = Σ (zᵢ − zⱼ)² / 2N(h) (Matheron's estimator; Cressie 1993,
 * 2.4) in {@link DistanceClasses}; pairs of samples at one place belong to the first class. Classes
 * without pairs are left out.
 * @param nearest learns how far every sample is from its nearest one
 */
export function experimentalSemivariogram(
  samples: SampleSet,
  lag: number,
  cutoff: number,
  nearest: NearestSamples,
  pace: WorkPace,
): Lag[] {
  const { size, x, y, z, values } = samples;
  const classes = new DistanceClasses(samples, lag, cutoff);
  const pairs = new Float64Array(classes.count);
  const distances = new Float64Array(classes.count);
  const squares = new Float64Array(classes.count);
  const all = (size * (size - 1)) / 2;
  // Longer by far than rounding can tell: such a pair needs no root.
  const beyond = (cutoff * 1.01) ** 2;
  const { squares: nearestSquares } = nearest;
  const perLag = 1 / lag;
  for (let i = 1; i < size; i++) {
    const [xi, yi, zi, value] = [x[i]!, y[i]!, z[i]!, values[i]!];
    for (let j = 0; j < i; j++) {
      const dx = xi - x[j]!;
      const dy = yi - y[j]!;
      const dz = zi - z[j]!;
      const square = dx * dx + dy * dy + dz * dz;
      if (square < nearestSquares[i]! || square < nearestSquares[j]!) nearest.meet(i, j, square);
      if (square > beyond) continue;
      const distance = square < SMALLEST_SQUARE ? Math.hypot(dx, dy, dz) : Math.sqrt(square);
      // Away from the limits rounding does not matter, and most pairs are.
      const ratio = distance * perLag;
      const whole = Math.floor(ratio);
      const index =
        ratio - whole > MIDDLE && distance < cutoff ? whole : classes.of(i, j, distance);
      if (index < 0) continue;
      const difference = value - values[j]!;
      pairs[index]!++;
      distances[index]! += distance;
      squares[index]! += difference * difference;
    }
    pace.tell((i * (i + 1)) / 2, all);
  }
  const lags: Lag[] = [];
  for (let k = 0; k < classes.count; k++) {
    const count = pairs[k]!;
    if (count === 0) continue;
    lags.push({
      pairs: count,
      distance: distances[k]! / count,
      semivariance: squares[k]! / (2 * count),
    });
  }
  return lags;
}
