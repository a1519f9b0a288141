import { TaskProblem } from '../../../compute/task.problem.js';
import {
  type CoordinateTolerance,
  type Magnitudes,
  magnitudesOf,
} from '../coordinate-tolerance.js';
import { selectedSamples } from './selected-samples.js';
import type { Source } from './source.schema.js';

/** Samples as far as estimates need them, in flat arrays: what threads hand to one another. */
export interface Samples {
  readonly size: number;
  readonly x: Float64Array;
  readonly y: Float64Array;
  readonly z: Float64Array;
  readonly values: Float64Array;
}

/**
 * The samples that `source.filter` leaves, in flat arrays; 2-D locations get z = 0.
 *
 * They are ordered by location, not as they were listed: whatever is computed from them in this order
 * is the same, to the last bit, in whatever order they came.
 */
export class SampleSet implements Samples {
  readonly size: number;
  /** 2 or 3. */
  readonly dimension: number;
  readonly x: Float64Array;
  readonly y: Float64Array;
  readonly z: Float64Array;
  readonly values: Float64Array;
  /** The place of each sample in `source.coordinates`, for messages and for ties. */
  readonly listed: Uint32Array;

  constructor(source: Source) {
    const { coordinates, values } = source;
    this.listed = selectedSamples(source);
    this.size = this.listed.length;
    this.dimension = coordinates[0]?.length ?? 2;
    this.listed.sort(
      (i, j) => compare(coordinates[i]!, coordinates[j]!) || values[i]! - values[j]! || i - j,
    );
    const gather = (of: (listed: number) => number) => Float64Array.from(this.listed, of);
    this.x = gather((i) => coordinates[i]![0]!);
    this.y = gather((i) => coordinates[i]![1]!);
    this.z = gather((i) => coordinates[i]![2] ?? 0);
    this.values = gather((i) => values[i]!);
  }

  /** Largest absolute coordinate along each axis. */
  get magnitudes(): Magnitudes {
    return magnitudesOf(this);
  }

  /** A location as people write it: (x, y) or (x, y, z). */
  place(x: number, y: number, z: number): string {
    return `(${[x, y, z].slice(0, this.dimension).join(', ')})`;
  }

  /** A sample as the caller listed it: `source.coordinates[3]`. */
  name(sample: number): string {
    return `source.coordinates[${this.listed[sample]}]`;
  }

  /**
   * Refuses samples that share a location. Two values at one place make the kriging system
   * singular, and only who took them knows whether one is a mistake or both should be averaged.
   * @throws TaskProblem 422 `duplicate-samples` with the pair that was listed first
   */
  refuseDuplicates(tolerance: CoordinateTolerance): void {
    const pair = this.#firstDuplicates(tolerance);
    if (!pair) return;
    const [first, second] = pair;
    throw new TaskProblem({
      status: 422,
      slug: 'duplicate-samples',
      title: 'Two samples share a location.',
      detail:
        `${this.name(first)} and ${this.name(second)} are both at ` +
        `${this.place(this.x[first]!, this.y[first]!, this.z[first]!)}, which makes the kriging system singular. ` +
        'Keep one of them, or give their average once.',
    });
  }

  /** Two samples at one place, as listed; of several pairs that whose second was listed first. */
  #firstDuplicates({ along }: CoordinateTolerance): readonly [number, number] | undefined {
    const { listed } = this;
    const places = [this.x, this.y, this.z].map((axis, i) => placesAlong(axis, along[i]!));
    const [x, y, z] = places as [Uint32Array, Uint32Array, Uint32Array];
    const order = new Uint32Array(this.size).map((_, i) => i);
    order.sort(
      (i, j) => x[i]! - x[j]! || y[i]! - y[j]! || z[i]! - z[j]! || listed[i]! - listed[j]!,
    );
    let found: readonly [number, number] | undefined;
    for (let k = 1; k < order.length; k++) {
      const [i, j] = [order[k - 1]!, order[k]!];
      const same = x[i] === x[j] && y[i] === y[j] && z[i] === z[j];
      if (same && (!found || listed[j]! < listed[found[1]]!)) found = [i, j];
    }
    return found;
  }
}

/** Numbers the different coordinates along an axis: those within the tolerance of their neighbour are one. */
function placesAlong(coordinates: Float64Array, tolerance: number): Uint32Array {
  const order = new Uint32Array(coordinates.length).map((_, i) => i);
  order.sort((i, j) => coordinates[i]! - coordinates[j]!);
  const places = new Uint32Array(coordinates.length);
  for (let k = 1, place = 0; k < order.length; k++) {
    if (coordinates[order[k]!]! - coordinates[order[k - 1]!]! > tolerance) place++;
    places[order[k]!] = place;
  }
  return places;
}

function compare(a: readonly number[], b: readonly number[]): number {
  return a[0]! - b[0]! || a[1]! - b[1]! || (a[2] ?? 0) - (b[2] ?? 0);
}
