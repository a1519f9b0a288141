import { TaskProblem } from '../../compute/task.problem.js';
import { selectedSamples } from './selected.samples.js';
import type { Source } from './source.schema.js';

/** The samples that `source.filter` leaves, in flat arrays; 2-D locations get z = 0. */
export class SampleSet {
  readonly size: number;
  /** 2 or 3. */
  readonly dimension: number;
  readonly x: Float64Array;
  readonly y: Float64Array;
  readonly z: Float64Array;
  readonly values: Float64Array;

  /** The place of each sample in `source.coordinates`, for messages. */
  readonly listed: Uint32Array;

  constructor(source: Source) {
    const { coordinates, values } = source;
    this.listed = selectedSamples(source);
    this.size = this.listed.length;
    this.dimension = coordinates[0]?.length ?? 2;
    this.x = new Float64Array(this.size);
    this.y = new Float64Array(this.size);
    this.z = new Float64Array(this.size);
    this.values = Float64Array.from(this.listed, (i) => values[i]!);
    for (let i = 0; i < this.size; i++) {
      const [x = 0, y = 0, z = 0] = coordinates[this.listed[i]!] ?? [];
      this.x[i] = x;
      this.y[i] = y;
      this.z[i] = z;
    }
  }

  /** A location as people write it: (x, y) or (x, y, z). */
  place(x: number, y: number, z: number): string {
    return `(${[x, y, z].slice(0, this.dimension).join(', ')})`;
  }

  /**
   * Refuses samples that share a location. Two values at one place make the kriging system
   * singular, and only who took them knows whether one is a mistake or both should be averaged.
   * @throws TaskProblem 422 `duplicate-samples` with the first pair
   */
  refuseDuplicates(): void {
    const { x, y, z } = this;
    const order = new Uint32Array(this.size).map((_, i) => i);
    order.sort((i, j) => x[i]! - x[j]! || y[i]! - y[j]! || z[i]! - z[j]! || i - j);
    let pair: readonly [number, number] | undefined;
    for (let k = 1; k < order.length; k++) {
      const [i, j] = [order[k - 1]!, order[k]!];
      const same = x[i] === x[j] && y[i] === y[j] && z[i] === z[j];
      if (same && (!pair || j < pair[1])) pair = [i, j];
    }
    if (!pair) return;
    const [first, second] = pair;
    throw new TaskProblem({
      status: 422,
      slug: 'duplicate-samples',
      title: 'Two samples share a location.',
      detail:
        `source.coordinates[${this.listed[first]}] and source.coordinates[${this.listed[second]}] are both at ` +
        `${this.place(x[first]!, y[first]!, z[first]!)}, which makes the kriging system singular. ` +
        'Keep one of them, or give their average once.',
    });
  }
}
