import { lengthOf } from '../length.js';
import type { NeighborSearch } from '../neighbors/search/neighbor-search.js';
import type { Samples } from '../samples/sample-set.js';
import type { NumericDiagnostic } from './diagnostics.schema.js';
import type { KrigingSystem } from './system/kriging-system.js';

/** What was wanted of each point, in arrays that all threads of a job can write to. */
export interface DiagnosticArrays {
  readonly numbers: Readonly<Partial<Record<NumericDiagnostic, Float64Array>>>;
  readonly valid: Int8Array | undefined;
}

/** Of `valid`; 0 where a point was not asked for. */
export const VALID = 1;
const INVALID = -1;

/** The parts that an estimate was made with. */
interface Parts {
  readonly samples: Samples;
  readonly search: NeighborSearch;
  readonly system: KrigingSystem;
  /** What the sill of the system stands for, in squared units of the values. */
  readonly total: number;
}

/** Collects what was wanted to know of each estimate. */
export class KrigingDiagnostics {
  readonly #parts: Parts;
  readonly #numbers: DiagnosticArrays['numbers'];
  readonly #valid: Int8Array | undefined;
  readonly #anyNumbers: boolean;
  readonly #weights: Float64Array;

  constructor({ numbers, valid }: DiagnosticArrays, parts: Parts) {
    this.#parts = parts;
    this.#numbers = numbers;
    this.#valid = valid;
    this.#anyNumbers = Object.keys(numbers).length > 0;
    this.#weights = new Float64Array(parts.search.found.length);
  }

  /** A point that has too few samples. */
  noteInvalid(point: number): void {
    if (this.#valid) this.#valid[point] = INVALID;
    this.#note(point, 'num_samples', () => 0);
  }

  /**
   * A point that was just estimated.
   * @param count how many of the found samples were used
   */
  note(point: number, count: number, x: number, y: number, z: number): void {
    const { search, system, total } = this.#parts;
    if (this.#valid) this.#valid[point] = VALID;
    if (!this.#anyNumbers) return;
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

  /** Computes only what is wanted. */
  #note(point: number, name: NumericDiagnostic, value: () => number): void {
    const numbers = this.#numbers[name];
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
