import { CholeskyDecomposition, Matrix } from 'ml-matrix';
import type { SampleSet } from '../sample.set.js';
import type { VariogramFunction } from '../variogram.function.js';
import type { BlockSupport } from './block.support.js';

type KrigingMethod =
  | { readonly type: 'ordinary' }
  | { readonly type: 'simple'; readonly mean: number };

/**
 * The part of a sample's variance that must be left once the others are known. Against 60-digit
 * arithmetic on the Meuse samples, estimates were wrong by up to 1e-15 / pivot: 1e-5 at this one.
 */
const LEAST_PIVOT = 1e-10;

/** Thrown when the samples around a point do not determine the kriging weights. */
export class SingularSystem extends Error {
  override readonly name = 'SingularSystem';

  /** @param sample index of the sample that repeats what the others tell */
  constructor(readonly sample: number) {
    super(`Sample ${sample} is determined by its neighbours.`);
  }
}

/**
 * Estimates a point or block from its neighbours, with the kriging variance.
 *
 * Simple kriging (Journel & Huijbregts 1978, V.B; covariances C = sill − γ): Σⱼ wⱼ C(i, j) = C̄(i, v),
 * estimate m + Σ wᵢ (zᵢ − m), variance C̄(v, v) − Σ wᵢ C̄(i, v).
 *
 * Ordinary kriging is solved as simple kriging of the increments from one of the neighbours r, whose
 * mean is 0: covariances K(i, j) = γ(i, r) + γ(j, r) − γ(i, j), estimate z_r + Σ wᵢ (zᵢ − z_r),
 * variance 2 γ̄(r, v) − γ̄(v, v) − Σ wᵢ K̄(i, v). Weights, estimate and variance are those of the
 * system with a Lagrange multiplier (Matheron 1971, 3-3; Cressie 1993, 3.2), but K exists whenever γ
 * does, so a linear variogram needs no invented sill; and K is positive definite, so that the
 * Cholesky factor tells how close to singular it is.
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
  #factor: CholeskyDecomposition | undefined;
  #factored: Uint32Array;
  #factoredCount = -1;

  /** @param block absent for points */
  constructor(
    samples: SampleSet,
    variogram: VariogramFunction,
    method: KrigingMethod,
    block: BlockSupport | undefined,
  ) {
    this.#samples = samples;
    this.#variogram = variogram;
    this.#method = method;
    this.#block = block;
    this.#factored = new Uint32Array(0);
  }

  /**
   * Estimates at a point, or for the block around it, and leaves `value` and `variance`.
   * A point on a sample gets its value with variance 0: kriging is an exact interpolator.
   * @param neighbors indices of samples at different locations, ascending
   * @param count how many of them to use, at least 1
   * @throws SingularSystem
   */
  estimate(neighbors: Uint32Array, count: number, x: number, y: number, z: number): void {
    const { values } = this.#samples;
    if (!this.#block) {
      for (let i = 0; i < count; i++) {
        const sample = neighbors[i]!;
        if (!this.#isAt(sample, x, y, z)) continue;
        this.value = values[sample]!;
        this.variance = 0;
        return;
      }
    }
    this.#prepare(neighbors, count);
    if (this.#method.type === 'simple')
      this.#estimateSimple(this.#method.mean, neighbors, count, x, y, z);
    else this.#estimateOrdinary(neighbors, count, x, y, z);
    // Rounding may leave −1e-16 where the samples determine the point.
    this.variance = Math.max(0, this.variance);
  }

  #estimateSimple(
    mean: number,
    neighbors: Uint32Array,
    count: number,
    x: number,
    y: number,
    z: number,
  ) {
    const { values } = this.#samples;
    const { sill } = this.#variogram;
    const right = new Matrix(count, 1);
    for (let i = 0; i < count; i++) right.set(i, 0, sill - this.#toTarget(neighbors[i]!, x, y, z));
    const weights = this.#factor!.solve(right);
    this.value = mean;
    this.variance = sill - (this.#block?.within ?? 0);
    for (let i = 0; i < count; i++) {
      const weight = weights.get(i, 0);
      this.value += weight * (values[neighbors[i]!]! - mean);
      this.variance -= weight * right.get(i, 0);
    }
  }

  #estimateOrdinary(neighbors: Uint32Array, count: number, x: number, y: number, z: number) {
    const { values } = this.#samples;
    const reference = neighbors[0]!;
    const fromReference = this.#toTarget(reference, x, y, z);
    this.value = values[reference]!;
    this.variance = 2 * fromReference - (this.#block?.within ?? 0);
    if (count === 1) return;
    const right = new Matrix(count - 1, 1);
    for (let i = 1; i < count; i++) {
      const sample = neighbors[i]!;
      const covariance =
        this.#between(sample, reference) + fromReference - this.#toTarget(sample, x, y, z);
      right.set(i - 1, 0, covariance);
    }
    const weights = this.#factor!.solve(right);
    for (let i = 1; i < count; i++) {
      const weight = weights.get(i - 1, 0);
      this.value += weight * (values[neighbors[i]!]! - values[reference]!);
      this.variance -= weight * right.get(i - 1, 0);
    }
  }

  /** Factors the covariances among the neighbours, unless they are those of the last time. */
  #prepare(neighbors: Uint32Array, count: number): void {
    if (count === this.#factoredCount && isSame(this.#factored, neighbors, count)) return;
    this.#factoredCount = -1;
    const skipped = this.#method.type === 'simple' ? 0 : 1;
    const size = count - skipped;
    if (size > 0) {
      const left = new Matrix(size, size);
      for (let i = 0; i < size; i++) {
        for (let j = 0; j <= i; j++) {
          const covariance = this.#covariance(
            neighbors[i + skipped]!,
            neighbors[j + skipped]!,
            neighbors[0]!,
          );
          left.set(i, j, covariance);
          left.set(j, i, covariance);
        }
      }
      this.#factor = new CholeskyDecomposition(left);
      const lower = this.#factor.lowerTriangularMatrix;
      for (let i = 0; i < size; i++) {
        const pivot = lower.get(i, i);
        // Not `<=`: a pivot that is NaN must not pass.
        if (!(pivot * pivot > LEAST_PIVOT * left.get(i, i)))
          throw new SingularSystem(neighbors[i + skipped]!);
      }
    }
    if (this.#factored.length < count) this.#factored = new Uint32Array(neighbors.length);
    this.#factored.set(neighbors.subarray(0, count));
    this.#factoredCount = count;
  }

  #covariance(i: number, j: number, reference: number): number {
    if (this.#method.type === 'simple') return this.#variogram.sill - this.#between(i, j);
    return this.#between(i, reference) + this.#between(j, reference) - this.#between(i, j);
  }

  #between(i: number, j: number): number {
    const { x, y, z } = this.#samples;
    return this.#variogram.between(x[j]! - x[i]!, y[j]! - y[i]!, z[j]! - z[i]!);
  }

  #toTarget(sample: number, x: number, y: number, z: number): number {
    const { x: xs, y: ys, z: zs } = this.#samples;
    const [dx, dy, dz] = [x - xs[sample]!, y - ys[sample]!, z - zs[sample]!];
    return this.#block ? this.#block.to(dx, dy, dz) : this.#variogram.between(dx, dy, dz);
  }

  #isAt(sample: number, x: number, y: number, z: number): boolean {
    const { x: xs, y: ys, z: zs } = this.#samples;
    return xs[sample] === x && ys[sample] === y && zs[sample] === z;
  }
}

function isSame(a: Uint32Array, b: Uint32Array, count: number): boolean {
  for (let i = 0; i < count; i++) if (a[i] !== b[i]) return false;
  return true;
}
