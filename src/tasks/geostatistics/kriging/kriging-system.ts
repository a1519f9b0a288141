import type { CoordinateTolerance } from '../coordinate-tolerance.js';
import type { SampleSet } from '../samples/sample-set.js';
import type { Places, VariogramFunction } from '../variogram-model/variogram-function.js';
import type { BlockSupport } from './block-support.js';
import { fillContrasts, fromContrasts, toContrasts } from './contrasts.js';
import { DefiniteSystem } from './definite-system.js';

export type KrigingMethod =
  | { readonly type: 'ordinary' }
  | { readonly type: 'simple'; readonly mean: number };

/**
 * An estimate is given only when rounding has changed it by less than this part of the spread of its
 * neighbours' values. The bound below is some ten times what rounding does on the whole.
 */
const MAX_ERROR = 1e-5;
/** Roundings of a semivariance on its way into the system. */
const OPERATIONS = 4;

/** Thrown when the samples around a point do not determine the estimate as far as numbers go. */
export class SingularSystem extends Error {
  override readonly name = 'SingularSystem';

  /** @param samples the two neighbours that are most alike */
  constructor(readonly samples: readonly [number, number]) {
    super(`Samples ${samples.join(' and ')} tell the same.`);
  }
}

/**
 * Estimates a point or block from its neighbours, with the kriging variance.
 *
 * Simple kriging (Journel & Huijbregts 1978, V.B; covariances C = sill − γ): Σⱼ wⱼ C(i, j) = C̄(i, v),
 * estimate m + Σ wᵢ (zᵢ − m), variance C̄(v, v) − Σ wᵢ C̄(i, v).
 *
 * Ordinary kriging minimizes 2 wᵀg − wᵀΓw − γ̄(v, v) over weights with sum 1 (Matheron 1971, 3-3;
 * Cressie 1993, 3.2), where Γ holds the semivariances among the neighbours and g those to the target.
 * With w = 1/n + P y, where the columns of P are n − 1 orthonormal contrasts, no multiplier is left:
 * B y = Pᵀ(Γ1/n − g), with B = −PᵀΓP. B is positive definite whenever γ is a variogram, so a linear one
 * needs no invented sill; and no sample is set apart, so that rounding treats all alike.
 *
 * How far the estimate can be trusted follows from its own numbers: changing each entry of the system by
 * its rounding changes the estimate by at most rounding · (1 + |y|) · |B⁻¹Pᵀz| (first-order
 * perturbation; Golub & Van Loan 2013, 2.6). This depends neither on the order of samples nor on units.
 *
 * Neighbouring points mostly share their neighbours: the factor is kept until they change.
 */
export class KrigingSystem {
  /** Results of the last {@link estimate}. */
  value = 0;
  variance = 0;
  readonly #samples: SampleSet;
  readonly #variogram: VariogramFunction;
  readonly #method: KrigingMethod;
  readonly #block: BlockSupport | undefined;
  readonly #tolerance: CoordinateTolerance;
  readonly #system: DefiniteSystem;
  /** Where the neighbours are that the system is factored for. */
  readonly #places: Places;
  /** γ among them, that of i and j < i at i (i − 1) / 2 + j. */
  readonly #among: Float64Array;
  /** γ from each neighbour to the target. */
  readonly #toTarget: Float64Array;
  /** Mean γ from each neighbour to all of them. */
  readonly #meanGamma: Float64Array;
  readonly #right: Float64Array;
  readonly #weights: Float64Array;
  /** L⁻¹ of the values' deviations: the estimate is a product with it. */
  readonly #deviations: Float64Array;
  readonly #factored: Uint32Array;
  #factoredCount = -1;
  #base = 0;
  /** The neighbour whose value the last estimate is, or −1. */
  #honoured = -1;
  /** What of the estimate's error does not depend on the target, as a part of the values' spread. */
  #error = 0;

  /**
   * @param block absent for points
   * @param most neighbours of one estimate
   */
  constructor(
    samples: SampleSet,
    variogram: VariogramFunction,
    method: KrigingMethod,
    block: BlockSupport | undefined,
    tolerance: CoordinateTolerance,
    most: number,
  ) {
    this.#samples = samples;
    this.#variogram = variogram;
    this.#method = method;
    this.#block = block;
    this.#tolerance = tolerance;
    this.#system = new DefiniteSystem(most);
    const numbers = () => this.#system.vector();
    [this.#toTarget, this.#meanGamma, this.#right] = [numbers(), numbers(), numbers()];
    [this.#weights, this.#deviations] = [numbers(), numbers()];
    this.#places = { x: numbers(), y: numbers(), z: numbers() };
    this.#among = new Float64Array((most * (most - 1)) / 2);
    this.#factored = new Uint32Array(most);
  }

  /**
   * Estimates at a point, or for the block around it, and leaves `value` and `variance`.
   * A point on a sample gets its value with variance 0: kriging is an exact interpolator.
   * @param neighbors samples at different locations, ascending
   * @param count how many of them to use, at least 1
   * @throws SingularSystem
   */
  estimate(neighbors: Uint32Array, count: number, x: number, y: number, z: number): void {
    this.#honoured = -1;
    if (!this.#block && this.#honour(neighbors, count, x, y, z)) return;
    this.#prepare(neighbors, count);
    (this.#block ?? this.#variogram).to(this.#places, count, x, y, z, this.#toTarget);
    const known =
      this.#method.type === 'simple' ? this.#rightOfSimple(count) : this.#rightOfOrdinary(count);

    const { size } = this.#system;
    const right = this.#right;
    const deviations = this.#deviations;
    this.#system.forward(right);
    let change = 0;
    let explained = 0;
    for (let i = 0; i < size; i++) {
      const part = right[i]!;
      change += part * deviations[i]!;
      explained += part * part;
    }
    this.#refuseWrong(count);
    this.value = this.#base + change;
    // Rounding may leave −1e-16 where the samples determine the point.
    this.variance = Math.max(0, known - (this.#block?.within ?? 0) - explained);
  }

  /** The weights of the last estimate, in the order of its neighbours. */
  fillWeights(weights: Float64Array, count: number): void {
    weights.fill(0, 0, count);
    if (this.#honoured >= 0) {
      weights[this.#honoured] = 1;
      return;
    }
    const { size } = this.#system;
    const solved = this.#weights;
    solved.set(this.#right.subarray(0, size));
    this.#system.backward(solved);
    if (this.#method.type === 'simple') weights.set(solved.subarray(0, size));
    else fromContrasts(solved, count, weights);
  }

  /**
   * How the last estimate stands to the true value (Vann, Jackson & Bertoli 2003): with covariances
   * C = sill − γ, the slope Cov(Z, Z*) / Var(Z*) = Σ wᵢ C̄(i, v) / Σ wᵢ wⱼ C(i, j), and the efficiency
   * (C̄(v, v) − kriging variance) / C̄(v, v). NaN where a variogram has no sill, or a block no variance.
   * @param weights of the last estimate
   */
  regression(weights: Float64Array, count: number): { slope: number; efficiency: number } {
    const { sill, hasSill } = this.#variogram;
    if (!hasSill) return { slope: NaN, efficiency: NaN };
    const within = this.#block?.within ?? 0;
    const prior = sill - within;
    const efficiency = prior > 0 ? (prior - this.variance) / prior : NaN;
    // A point on a sample is known, and simple kriging has no bias by its construction.
    if (this.#honoured >= 0 || this.#method.type === 'simple') return { slope: 1, efficiency };
    let toTarget = 0;
    let sum = 0;
    for (let i = 0; i < count; i++) {
      toTarget += weights[i]! * this.#toTarget[i]!;
      sum += weights[i]!;
    }
    // From the variance 2 wᵀg − wᵀΓw − γ̄(v, v), whose other parts are known.
    const among = 2 * toTarget - within - this.variance;
    const slope = (sill * sum - toTarget) / (sill * sum * sum - among);
    return { slope: Number.isFinite(slope) ? slope : NaN, efficiency };
  }

  /**
   * The mean of the values: the known one, or as the neighbours tell it by generalised least squares,
   * 1ᵀC⁻¹z / 1ᵀC⁻¹1: the weights with sum 1 that minimize −wᵀΓw.
   * @returns NaN when the neighbours of a point on a sample do not determine it
   */
  meanOf(neighbors: Uint32Array, count: number): number {
    if (this.#method.type === 'simple') return this.#method.mean;
    try {
      this.#prepare(neighbors, count);
    } catch (error) {
      if (error instanceof SingularSystem) return NaN;
      throw error;
    }
    const right = this.#weights;
    right.set(this.#meanGamma.subarray(0, count));
    toContrasts(right, count);
    this.#system.forward(right);
    let change = 0;
    for (let i = 0; i < this.#system.size; i++) change += right[i]! * this.#deviations[i]!;
    return this.#base + change;
  }

  /** Gives a point on a sample the sample's value. */
  #honour(neighbors: Uint32Array, count: number, x: number, y: number, z: number): boolean {
    const { x: xs, y: ys, z: zs, values } = this.#samples;
    for (let i = 0; i < count; i++) {
      const sample = neighbors[i]!;
      if (!this.#tolerance.isNone(xs[sample]! - x, ys[sample]! - y, zs[sample]! - z)) continue;
      this.value = values[sample]!;
      this.variance = 0;
      this.#honoured = i;
      return true;
    }
    return false;
  }

  /** Leaves C̄(i, v). @returns the variance without samples */
  #rightOfSimple(count: number): number {
    const { sill } = this.#variogram;
    for (let i = 0; i < count; i++) this.#right[i] = sill - this.#toTarget[i]!;
    return sill;
  }

  /** Leaves Pᵀ(Γ1/n − g). @returns the variance with equal weights */
  #rightOfOrdinary(count: number): number {
    const [g, c, right] = [this.#toTarget, this.#meanGamma, this.#right];
    let sum = 0;
    for (let i = 0; i < count; i++) {
      right[i] = c[i]! - g[i]!;
      sum += 2 * g[i]! - c[i]!;
    }
    toContrasts(right, count);
    return sum / count;
  }

  /** Factors the system of the neighbours, unless they are those of the last time. */
  #prepare(neighbors: Uint32Array, count: number): void {
    if (count === this.#factoredCount && isSame(this.#factored, neighbors, count)) return;
    this.#factoredCount = -1;
    for (let i = 0; i < count; i++) this.#factored[i] = neighbors[i]!;
    const { x, y, z, values } = this.#samples;
    const { x: xs, y: ys, z: zs } = this.#places;
    for (let i = 0; i < count; i++) {
      const sample = neighbors[i]!;
      xs[i] = x[sample]!;
      ys[i] = y[sample]!;
      zs[i] = z[sample]!;
    }
    this.#variogram.among(this.#places, count, this.#among);
    const system = this.#system;
    const simple = this.#method.type === 'simple';
    const largest = simple ? this.#fillSimple(count) : this.#fillOrdinary(count);
    const rounding = OPERATIONS * Number.EPSILON * Math.sqrt(count) * largest;
    if (!system.factor(rounding)) throw new SingularSystem(this.#mostAlike(count));

    const deviations = this.#deviations;
    this.#base = this.#method.type === 'simple' ? this.#method.mean : values[neighbors[0]!]!;
    let spread = 0;
    for (let i = 0; i < count; i++) {
      deviations[i] = values[neighbors[i]!]! - this.#base;
      spread = Math.max(spread, Math.abs(deviations[i]!));
    }
    if (!simple) {
      let mean = 0;
      for (let i = 0; i < count; i++) mean += deviations[i]! / count;
      this.#base += mean;
      toContrasts(deviations, count);
    }
    system.forward(deviations);
    const weights = this.#weights;
    for (let i = 0; i < system.size; i++) weights[i] = deviations[i]!;
    system.backward(weights);
    this.#error = spread === 0 ? 0 : (rounding * normOf(weights, system.size)) / spread;
    this.#factoredCount = count;
  }

  /** The covariances among the neighbours. @returns the largest number in them */
  #fillSimple(count: number): number {
    const { matrix, stride } = this.#system;
    const { sill } = this.#variogram;
    const among = this.#among;
    this.#system.size = count;
    for (let i = 0, k = 0; i < count; i++) {
      for (let j = 0; j < i; j++) matrix[i * stride + j] = sill - among[k++]!;
      matrix[i * stride + i] = sill;
    }
    return sill;
  }

  /** B, and Γ1/n beside it. @returns the largest semivariance */
  #fillOrdinary(count: number): number {
    const { matrix, stride } = this.#system;
    const among = this.#among;
    const means = this.#meanGamma;
    this.#system.size = count - 1;
    let largest = 0;
    for (let i = 0, k = 0; i < count; i++) {
      let sum = 0;
      for (let j = 0; j < i; j++) {
        const gamma = among[k++]!;
        largest = Math.max(largest, gamma);
        sum += gamma;
        means[j]! += gamma;
      }
      means[i] = sum;
    }
    for (let i = 0; i < count; i++) means[i]! /= count;
    fillContrasts(among, means, count, matrix, stride, this.#weights);
    return largest;
  }

  /** @throws SingularSystem when rounding may have changed the estimate too much */
  #refuseWrong(count: number): void {
    if (this.#error * 100 < MAX_ERROR) return;
    const { size } = this.#system;
    this.#weights.set(this.#right.subarray(0, size));
    this.#system.backward(this.#weights);
    if (this.#error * (1 + normOf(this.#weights, size)) <= MAX_ERROR) return;
    throw new SingularSystem(this.#mostAlike(count));
  }

  /** The two neighbours between which the variogram is smallest. */
  #mostAlike(count: number): readonly [number, number] {
    const neighbors = this.#factored;
    let pair: readonly [number, number] = [neighbors[0]!, neighbors[0]!];
    let least = Infinity;
    for (let i = 1, k = 0; i < count; i++) {
      for (let j = 0; j < i; j++) {
        const gamma = this.#among[k++]!;
        if (gamma < least) [least, pair] = [gamma, [neighbors[j]!, neighbors[i]!]];
      }
    }
    return pair;
  }
}

function normOf(numbers: Float64Array, count: number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += numbers[i]! * numbers[i]!;
  return Math.sqrt(sum);
}

function isSame(a: Uint32Array, b: Uint32Array, count: number): boolean {
  for (let i = 0; i < count; i++) if (a[i] !== b[i]) return false;
  return true;
}
