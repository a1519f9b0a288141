import type { CoordinateTolerance } from '../../coordinate-tolerance.js';
import type { Samples } from '../../samples/sample-set.js';
import type { VariogramFunction } from '../../variogram-model/variogram-function.js';
import type { BlockSupport } from './block-support.js';
import { fromContrasts, toContrasts } from './contrasts.js';
import { type NeighborSystem, normOf, type SystemParts } from './neighbor-system.js';
import { SystemCache } from './system-cache.js';

export type KrigingMethod =
  | { readonly type: 'ordinary' }
  | { readonly type: 'simple'; readonly mean: number };

/**
 * An estimate is given only when rounding has changed it by less than this part of the spread of its
 * neighbours' values. The bound below is some ten times what rounding does on the whole.
 */
const MAX_ERROR = 1e-5;

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
 * Points close by share their neighbours: factors are kept, in a {@link SystemCache}.
 */
export class KrigingSystem {
  /** Results of the last {@link estimate}. */
  value = 0;
  variance = 0;
  readonly #parts: SystemParts;
  readonly #block: BlockSupport | undefined;
  readonly #tolerance: CoordinateTolerance;
  readonly #cache: SystemCache;
  /** Of the neighbours of the last estimate. */
  #current: NeighborSystem;
  /** γ from each neighbour to the target. */
  readonly #toTarget: Float64Array;
  readonly #right: Float64Array;
  /** The neighbour whose value the last estimate is, or −1. */
  #honoured = -1;

  /**
   * @param block absent for points
   * @param most neighbours of one estimate
   */
  constructor(
    samples: Samples,
    variogram: VariogramFunction,
    method: KrigingMethod,
    block: BlockSupport | undefined,
    tolerance: CoordinateTolerance,
    most: number,
  ) {
    this.#cache = new SystemCache(most);
    this.#current = this.#cache.placeOf(new Uint32Array(), 0);
    const numbers = () => this.#current.system.vector();
    [this.#toTarget, this.#right] = [numbers(), numbers()];
    const among = new Float64Array((most * (most - 1)) / 2);
    this.#parts = { samples, variogram, method, among, scratch: numbers() };
    this.#block = block;
    this.#tolerance = tolerance;
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
    const { system, places, deviations, base } = this.#current;
    (this.#block ?? this.#parts.variogram).to(places, count, x, y, z, this.#toTarget);
    const known =
      this.#parts.method.type === 'simple'
        ? this.#rightOfSimple(count)
        : this.#rightOfOrdinary(count);

    const right = this.#right;
    system.forward(right);
    let change = 0;
    let explained = 0;
    for (let i = 0; i < system.size; i++) {
      const part = right[i]!;
      change += part * deviations[i]!;
      explained += part * part;
    }
    this.#refuseWrong(neighbors, count);
    this.value = base + change;
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
    const { system } = this.#current;
    const solved = this.#parts.scratch;
    solved.set(this.#right.subarray(0, system.size));
    system.backward(solved);
    if (this.#parts.method.type === 'simple') weights.set(solved.subarray(0, system.size));
    else fromContrasts(solved, count, weights);
  }

  /**
   * How the last estimate stands to the true value (Vann, Jackson & Bertoli 2003): with covariances
   * C = sill − γ, the slope Cov(Z, Z*) / Var(Z*) = Σ wᵢ C̄(i, v) / Σ wᵢ wⱼ C(i, j), and the efficiency
   * (C̄(v, v) − kriging variance) / C̄(v, v). NaN where a variogram has no sill, or a block no variance.
   * @param weights of the last estimate
   */
  regression(weights: Float64Array, count: number): { slope: number; efficiency: number } {
    const { sill, hasSill } = this.#parts.variogram;
    if (!hasSill) return { slope: NaN, efficiency: NaN };
    const within = this.#block?.within ?? 0;
    const prior = sill - within;
    const efficiency = prior > 0 ? (prior - this.variance) / prior : NaN;
    // A point on a sample is known, and simple kriging has no bias by its construction.
    if (this.#honoured >= 0 || this.#parts.method.type === 'simple')
      return { slope: 1, efficiency };
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
    const { method, scratch } = this.#parts;
    if (method.type === 'simple') return method.mean;
    try {
      this.#prepare(neighbors, count);
    } catch (error) {
      if (error instanceof SingularSystem) return NaN;
      throw error;
    }
    const { system, means, deviations, base } = this.#current;
    scratch.set(means.subarray(0, count));
    toContrasts(scratch, count);
    system.forward(scratch);
    let change = 0;
    for (let i = 0; i < system.size; i++) change += scratch[i]! * deviations[i]!;
    return base + change;
  }

  /** Gives a point on a sample the sample's value. */
  #honour(neighbors: Uint32Array, count: number, x: number, y: number, z: number): boolean {
    const { x: xs, y: ys, z: zs, values } = this.#parts.samples;
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
    const { sill } = this.#parts.variogram;
    for (let i = 0; i < count; i++) this.#right[i] = sill - this.#toTarget[i]!;
    return sill;
  }

  /** Leaves Pᵀ(Γ1/n − g). @returns the variance with equal weights */
  #rightOfOrdinary(count: number): number {
    const [g, c, right] = [this.#toTarget, this.#current.means, this.#right];
    let sum = 0;
    for (let i = 0; i < count; i++) {
      right[i] = c[i]! - g[i]!;
      sum += 2 * g[i]! - c[i]!;
    }
    toContrasts(right, count);
    return sum / count;
  }

  /** Makes the system of the neighbours the current one. */
  #prepare(neighbors: Uint32Array, count: number): void {
    if (this.#current.isOf(neighbors, count)) return;
    this.#current = this.#cache.placeOf(neighbors, count);
    if (this.#current.isOf(neighbors, count)) return;
    if (!this.#current.prepare(neighbors, count, this.#parts))
      throw this.#singular(neighbors, count);
  }

  /** @throws SingularSystem when rounding may have changed the estimate too much */
  #refuseWrong(neighbors: Uint32Array, count: number): void {
    const { error, system } = this.#current;
    if (error * 100 < MAX_ERROR) return;
    const solved = this.#parts.scratch;
    solved.set(this.#right.subarray(0, system.size));
    system.backward(solved);
    if (error * (1 + normOf(solved, system.size)) <= MAX_ERROR) return;
    throw this.#singular(neighbors, count);
  }

  /** Names the two neighbours between which the variogram is smallest. */
  #singular(neighbors: Uint32Array, count: number): SingularSystem {
    const { variogram, among } = this.#parts;
    variogram.among(this.#current.places, count, among);
    let pair: readonly [number, number] = [neighbors[0]!, neighbors[0]!];
    let least = Infinity;
    for (let i = 1, k = 0; i < count; i++) {
      for (let j = 0; j < i; j++) {
        const gamma = among[k++]!;
        if (gamma < least) [least, pair] = [gamma, [neighbors[j]!, neighbors[i]!]];
      }
    }
    return new SingularSystem(pair);
  }
}
