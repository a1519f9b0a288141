import type { Samples } from '../../samples/sample-set.js';
import type { Places, VariogramFunction } from '../../variogram-model/variogram-function.js';
import { fillContrasts, toContrasts } from './contrasts.js';
import { DefiniteSystem } from './definite-system.js';
import type { KrigingMethod } from './kriging-system.js';

/** Roundings of a semivariance on its way into the system. */
const OPERATIONS = 4;

/** What systems are made from, and what they use on the way. */
export interface SystemParts {
  readonly samples: Samples;
  readonly variogram: VariogramFunction;
  readonly method: KrigingMethod;
  /** γ among the neighbours, that of i and j < i at i (i − 1) / 2 + j. */
  readonly among: Float64Array;
  readonly scratch: Float64Array;
}

/**
 * The kriging system of some neighbours, factored, with all of an estimate that does not depend on its
 * target: see {@link KrigingSystem}.
 */
export class NeighborSystem {
  readonly system: DefiniteSystem;
  /** Where the neighbours are. */
  readonly places: Places;
  /** Mean γ from each neighbour to all of them. */
  readonly means: Float64Array;
  /** L⁻¹ of the values' deviations from `base`: the estimate is a product with it. */
  readonly deviations: Float64Array;
  base = 0;
  /** What of the estimate's error does not depend on the target, as a part of the values' spread. */
  error = 0;
  readonly #neighbors: Uint32Array;
  /** −1 when nothing is factored. */
  #count = -1;

  /** @param most neighbours */
  constructor(most: number) {
    this.system = new DefiniteSystem(most);
    const numbers = () => this.system.vector();
    this.places = { x: numbers(), y: numbers(), z: numbers() };
    [this.means, this.deviations] = [numbers(), numbers()];
    this.#neighbors = new Uint32Array(most);
  }

  /** Whether it is that of these neighbours. */
  isOf(neighbors: Uint32Array, count: number): boolean {
    if (count !== this.#count) return false;
    const mine = this.#neighbors;
    for (let i = 0; i < count; i++) if (mine[i] !== neighbors[i]) return false;
    return true;
  }

  /**
   * Makes it the system of other neighbours.
   * @param neighbors ascending: the same ones give the same numbers, to the last bit
   * @returns false when it is singular as far as rounding lets one see
   */
  prepare(neighbors: Uint32Array, count: number, parts: SystemParts): boolean {
    const { samples, variogram, method, among, scratch } = parts;
    this.#count = -1;
    this.#place(neighbors, count, samples);
    variogram.among(this.places, count, among);
    const { system, deviations } = this;
    const largest =
      method.type === 'simple'
        ? this.#fillSimple(count, among, variogram.sill)
        : this.#fillOrdinary(count, among, scratch);
    const rounding = OPERATIONS * Number.EPSILON * Math.sqrt(count) * largest;
    if (!system.factor(rounding)) return false;

    const { values } = samples;
    this.base = method.type === 'simple' ? method.mean : values[neighbors[0]!]!;
    let spread = 0;
    for (let i = 0; i < count; i++) {
      deviations[i] = values[neighbors[i]!]! - this.base;
      spread = Math.max(spread, Math.abs(deviations[i]!));
    }
    if (method.type === 'ordinary') {
      let mean = 0;
      for (let i = 0; i < count; i++) mean += deviations[i]! / count;
      this.base += mean;
      toContrasts(deviations, count);
    }
    system.forward(deviations);
    for (let i = 0; i < system.size; i++) scratch[i] = deviations[i]!;
    system.backward(scratch);
    this.error = spread === 0 ? 0 : (rounding * normOf(scratch, system.size)) / spread;
    this.#count = count;
    return true;
  }

  #place(neighbors: Uint32Array, count: number, samples: Samples): void {
    const { x, y, z } = samples;
    const { x: xs, y: ys, z: zs } = this.places;
    for (let i = 0; i < count; i++) {
      const sample = neighbors[i]!;
      this.#neighbors[i] = sample;
      xs[i] = x[sample]!;
      ys[i] = y[sample]!;
      zs[i] = z[sample]!;
    }
  }

  /** The covariances among the neighbours. @returns the largest number in them */
  #fillSimple(count: number, among: Float64Array, sill: number): number {
    const { matrix, stride } = this.system;
    this.system.size = count;
    for (let i = 0, k = 0; i < count; i++) {
      for (let j = 0; j < i; j++) matrix[i * stride + j] = sill - among[k++]!;
      matrix[i * stride + i] = sill;
    }
    return sill;
  }

  /** B, and Γ1/n beside it. @returns the largest semivariance */
  #fillOrdinary(count: number, among: Float64Array, scratch: Float64Array): number {
    const { matrix, stride } = this.system;
    const { means } = this;
    this.system.size = count - 1;
    let largest = 0;
    for (let i = 0, k = 0; i < count; i++) {
      let sum = 0;
      for (let j = 0; j < i; j++) {
        const gamma = among[k++]!;
        if (gamma > largest) largest = gamma;
        sum += gamma;
        means[j]! += gamma;
      }
      means[i] = sum;
    }
    for (let i = 0; i < count; i++) means[i]! /= count;
    fillContrasts(among, means, count, matrix, stride, scratch);
    return largest;
  }
}

/** Length of a vector of so many numbers. */
export function normOf(numbers: Float64Array, count: number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += numbers[i]! * numbers[i]!;
  return Math.sqrt(sum);
}
