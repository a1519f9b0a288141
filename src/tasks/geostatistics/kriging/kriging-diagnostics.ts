import type { z } from 'zod';
import { blank, orNull } from '../targets/estimates-summary.js';
import { lengthOf } from '../length.js';
import type { NeighborSearch } from '../neighbors/search/neighbor-search.js';
import type { SampleSet } from '../samples/sample-set.js';
import {
  type DiagnosticWishes,
  type diagnosticResults,
  NUMERIC_DIAGNOSTICS,
  type NumericDiagnostic,
  wanted,
} from './diagnostics.schema.js';
import type { KrigingSystem } from './kriging-system.js';

/** The parts that an estimate was made with. */
interface Parts {
  readonly samples: SampleSet;
  readonly search: NeighborSearch;
  readonly system: KrigingSystem;
  /** What the sill of the system stands for, in squared units of the values. */
  readonly total: number;
}

/** Collects what was wanted to know of each estimate. */
export class KrigingDiagnostics {
  readonly #parts: Parts;
  readonly #numbers: ReadonlyMap<NumericDiagnostic, Float64Array>;
  readonly #valid: (boolean | null)[] | undefined;
  readonly #weights: Float64Array;

  constructor(wishes: DiagnosticWishes, points: number, parts: Parts) {
    const names = wanted(wishes);
    this.#parts = parts;
    this.#numbers = new Map(
      NUMERIC_DIAGNOSTICS.filter((name) => names.includes(name)).map((name) => [
        name,
        blank(points),
      ]),
    );
    this.#valid = names.includes('valid') ? Array.from({ length: points }, () => null) : undefined;
    this.#weights = new Float64Array(parts.search.found.length);
  }

  /** A point that has too few samples. */
  noteInvalid(point: number): void {
    if (this.#valid) this.#valid[point] = false;
    this.#note(point, 'num_samples', () => 0);
  }

  /**
   * A point that was just estimated.
   * @param count how many of the found samples were used
   */
  note(point: number, count: number, x: number, y: number, z: number): void {
    const { search, system, total } = this.#parts;
    if (this.#valid) this.#valid[point] = true;
    if (this.#numbers.size === 0) return;
    const weights = this.#weights;
    system.fillWeights(weights, count);
    const regression = () => system.regression(weights, count);
    this.#note(point, 'kriging_variance', () => system.variance * total);
    this.#note(point, 'slope_of_regression', () => regression().slope);
    this.#note(point, 'kriging_efficiency', () => regression().efficiency);
    this.#note(point, 'kriging_mean', () => system.meanOf(search.found, count));
    this.#note(point, 'num_samples', () => count);
    this.#note(point, 'num_duplicates', () => 0);
    this.#note(point, 'num_equidistant', () => search.equallyFar(count, x, y, z));
    this.#note(point, 'sum_weights', () => sumOf(weights, count, () => true));
    this.#note(point, 'sum_positive_weights', () => sumOf(weights, count, (weight) => weight > 0));
    this.#note(point, 'sum_negative_weights', () => sumOf(weights, count, (weight) => weight < 0));
    const distance = (sample: number) => this.#distance(sample, x, y, z);
    const anisotropic = (sample: number) => search.anisotropicDistance(sample, x, y, z);
    this.#note(point, 'min_distance', () => leastOf(search.found, count, distance));
    this.#note(point, 'mean_distance', () => meanOf(search.found, count, distance));
    this.#note(point, 'aniso_min_distance', () => leastOf(search.found, count, anisotropic));
    this.#note(point, 'aniso_mean_distance', () => meanOf(search.found, count, anisotropic));
  }

  /** @returns undefined when nothing was wanted */
  results(): z.input<typeof diagnosticResults> {
    if (this.#numbers.size === 0 && this.#valid === undefined) return undefined;
    return {
      ...(this.#valid && { valid: this.#valid }),
      ...Object.fromEntries([...this.#numbers].map(([name, numbers]) => [name, orNull(numbers)])),
    };
  }

  /** Computes only what is wanted. */
  #note(point: number, name: NumericDiagnostic, value: () => number): void {
    const numbers = this.#numbers.get(name);
    if (numbers) numbers[point] = value();
  }

  #distance(sample: number, x: number, y: number, z: number): number {
    const { x: xs, y: ys, z: zs } = this.#parts.samples;
    return lengthOf(xs[sample]! - x, ys[sample]! - y, zs[sample]! - z);
  }
}

function sumOf(numbers: Float64Array, count: number, is: (number: number) => boolean): number {
  let sum = 0;
  for (let i = 0; i < count; i++) if (is(numbers[i]!)) sum += numbers[i]!;
  return sum;
}

function leastOf(
  samples: Uint32Array,
  count: number,
  distance: (sample: number) => number,
): number {
  let least = Infinity;
  for (let i = 0; i < count; i++) least = Math.min(least, distance(samples[i]!));
  return least;
}

function meanOf(samples: Uint32Array, count: number, distance: (sample: number) => number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += distance(samples[i]!);
  return sum / count;
}
