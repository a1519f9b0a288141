import { CoordinateTolerance, largest, magnitudesOf } from '../coordinate-tolerance.js';
import { lengthOf } from '../length.js';
import type { Neighborhood } from '../neighbors/neighborhood.schema.js';
import { NeighborSearch } from '../neighbors/search/neighbor-search.js';
import type { Samples } from '../samples/sample-set.js';
import type { PointEstimator } from '../sharing/helper-thread.js';
import { type TargetPlaces, TargetPoints } from '../targets/target-points.js';

/** What is estimated from what, as threads hand it to one another. */
export interface IdwWork {
  readonly samples: Samples;
  readonly places: TargetPlaces;
  readonly neighborhood: Neighborhood;
  readonly power: number;
  /** Receives the estimates. */
  readonly values: Float64Array;
}

/** Estimates points by inverse distances, in any order, one at a time. */
export class IdwEstimator implements PointEstimator {
  readonly finding = undefined;
  readonly #work: IdwWork;
  readonly #points: TargetPoints;
  readonly #tolerance: CoordinateTolerance;
  readonly #search: NeighborSearch;
  readonly #distances: Float64Array;

  constructor(work: IdwWork) {
    const { samples, places, neighborhood } = work;
    this.#work = work;
    this.#points = new TargetPoints(places);
    this.#tolerance = new CoordinateTolerance(
      largest(magnitudesOf(samples), this.#points.magnitudes),
      places.grid?.spacing,
    );
    this.#search = new NeighborSearch(samples, neighborhood, this.#tolerance);
    this.#distances = new Float64Array(this.#search.found.length);
  }

  estimate(index: number): void {
    const { samples, power, values } = this.#work;
    const distances = this.#distances;
    this.#points.moveTo(index);
    const { x, y, z } = this.#points;
    const { found } = this.#search;
    const count = this.#search.around(x, y, z);
    if (count === 0) return;
    for (let k = 0; k < count; k++) {
      const sample = found[k]!;
      const dx = samples.x[sample]! - x;
      const dy = samples.y[sample]! - y;
      const dz = samples.z[sample]! - z;
      distances[k] = this.#tolerance.isNone(dx, dy, dz) ? 0 : lengthOf(dx, dy, dz);
    }
    values[index] = weightedMean(samples.values, found, distances, count, power);
  }
}

/**
 * Σ wᵢ zᵢ / Σ wᵢ with wᵢ = 1 / dᵢ^power (Shepard 1968); at distance 0 the mean of the samples there.
 * Distances are divided by the smallest first, so that no weight overflows.
 */
function weightedMean(
  values: Float64Array,
  neighbors: Uint32Array,
  distances: Float64Array,
  count: number,
  power: number,
): number {
  let nearest = Infinity;
  for (let k = 0; k < count; k++) nearest = Math.min(nearest, distances[k]!);
  let total = 0;
  let sum = 0;
  for (let k = 0; k < count; k++) {
    const distance = distances[k]!;
    if (nearest === 0 && distance > 0) continue;
    const weight = nearest === 0 ? 1 : (nearest / distance) ** power;
    total += weight;
    sum += weight * values[neighbors[k]!]!;
  }
  return sum / total;
}
