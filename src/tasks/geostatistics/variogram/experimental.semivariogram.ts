import type { SampleSet } from '../sample.set.js';
import type { WorkPace } from '../work.pace.js';

/** One class of distances of the experimental semivariogram. */
export interface Lag {
  /** Number of pairs. */
  readonly pairs: number;
  /** Mean distance of the pairs, in the unit of the coordinates. */
  readonly distance: number;
  /** Half the mean squared difference of the pairs, in squared units of the values. */
  readonly semivariance: number;
}

/**
 * The omnidirectional semivariogram γ̂(h) = Σ (zᵢ − zⱼ)² / 2N(h) (Matheron's estimator; Cressie 1993,
 * 2.4). Class k holds the pairs with k · lag < distance <= (k + 1) · lag, up to and including the
 * cutoff; pairs of samples at one place belong to the first class. Classes without pairs are left out.
 */
export function experimentalSemivariogram(
  samples: SampleSet,
  lag: number,
  cutoff: number,
  pace: WorkPace,
): Lag[] {
  const { size, x, y, z, values } = samples;
  const classes = Math.floor(cutoff / lag) + 1;
  const pairs = new Float64Array(classes);
  const distances = new Float64Array(classes);
  const squares = new Float64Array(classes);
  const all = (size * (size - 1)) / 2;
  for (let i = 1; i < size; i++) {
    const [xi, yi, zi, value] = [x[i]!, y[i]!, z[i]!, values[i]!];
    for (let j = 0; j < i; j++) {
      const dx = xi - x[j]!;
      const dy = yi - y[j]!;
      const dz = zi - z[j]!;
      const distance = Math.sqrt(dx * dx + dy * dy + dz * dz);
      if (distance > cutoff) continue;
      const ratio = distance / lag;
      let index = Math.floor(ratio);
      if (ratio === index && index > 0) index--;
      const difference = value - values[j]!;
      pairs[index]!++;
      distances[index]! += distance;
      squares[index]! += difference * difference;
    }
    pace.tell((i * (i + 1)) / 2, all);
  }
  const lags: Lag[] = [];
  for (let k = 0; k < classes; k++) {
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
