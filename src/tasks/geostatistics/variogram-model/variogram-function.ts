import { isIsotropic, type Matrix3, worldToLocal } from '../neighbors/ellipsoid-space.js';
import { addSemivariances, type Shape, totalSemivariance } from './unit-semivariance.js';
import type { VariogramModel, VariogramStructure } from './variogram.schema.js';

/** Locations or vectors in flat arrays, in world coordinates. */
export interface Places {
  readonly x: Float64Array;
  readonly y: Float64Array;
  readonly z: Float64Array;
}

interface CompiledStructure {
  readonly shape: Shape;
  readonly contribution: number;
  /** What lengths are multiplied by: 1 / range, or 1 where the vectors are divided by the ranges. */
  readonly perRange: number;
  /** World vector → local vector divided by the ranges; absent when isotropic. */
  readonly scaled: Matrix3 | undefined;
}

/**
 * Semivariances of a nested variogram model (Journel & Huijbregts 1978, III.B), in squared units
 * of the values, of many separation vectors at once. Vectors are differences of world coordinates, made
 * anisotropic afterwards, so that large coordinates cost no digits.
 */
export class VariogramFunction {
  readonly nugget: number;
  /** Nugget and contributions: C(0) of the covariance, when no structure is linear. */
  readonly sill: number;
  /** False with a linear structure, which grows without end. */
  readonly hasSill: boolean;
  readonly #structures: readonly CompiledStructure[];
  /** Squared lengths of the vectors at hand; grows as needed. */
  #squares = new Float64Array(256);

  constructor({ nugget, structures }: VariogramModel) {
    this.nugget = nugget;
    this.sill = structures.reduce((sum, { contribution }) => sum + contribution, nugget);
    this.hasSill = structures.every(
      ({ variogram_type, contribution }) => variogram_type !== 'linear' || contribution === 0,
    );
    this.#structures = structures.filter(({ contribution }) => contribution > 0).map(compile);
  }

  /**
   * γ between every two places, all of them different: that of places i and j < i at i (i − 1) / 2 + j.
   * @param semivariances receives count (count − 1) / 2 numbers
   */
  among(places: Places, count: number, semivariances: Float64Array): void {
    const pairs = (count * (count - 1)) / 2;
    const squares = this.#room(pairs);
    semivariances.fill(this.nugget, 0, pairs);
    let measured: Matrix3 | 'isotropic' | undefined;
    for (const { shape, contribution, perRange, scaled } of this.#structures) {
      if (measured !== (scaled ?? 'isotropic')) {
        for (let i = 1, from = 0; i < count; from += i++) {
          measure(places, i, places.x[i]!, places.y[i]!, places.z[i]!, scaled, squares, from);
        }
        measured = scaled ?? 'isotropic';
      }
      addSemivariances(shape, contribution, squares, perRange, pairs, semivariances);
    }
  }

  /**
   * γ between each place and a point that none of them is at.
   * @param semivariances receives `count` numbers
   */
  to(
    places: Places,
    count: number,
    x: number,
    y: number,
    z: number,
    semivariances: Float64Array,
  ): void {
    const squares = this.#room(count);
    semivariances.fill(this.nugget, 0, count);
    for (const { shape, contribution, perRange, scaled } of this.#structures) {
      measure(places, count, x, y, z, scaled, squares, 0);
      addSemivariances(shape, contribution, squares, perRange, count, semivariances);
    }
  }

  /**
   * The mean over some places of the structures' part of γ between them and a point, without the nugget:
   * continuous, and 0 at distance 0.
   */
  meanStructured(places: Places, count: number, x: number, y: number, z: number): number {
    const squares = this.#room(count);
    let sum = 0;
    for (const { shape, contribution, perRange, scaled } of this.#structures) {
      measure(places, count, x, y, z, scaled, squares, 0);
      sum += contribution * totalSemivariance(shape, squares, perRange, count);
    }
    return sum / count;
  }

  #room(count: number): Float64Array {
    if (this.#squares.length < count) this.#squares = new Float64Array(2 * count);
    return this.#squares;
  }
}

/** Squared lengths of the ways from a point to each of `count` places, written from `at` on. */
function measure(
  { x: xs, y: ys, z: zs }: Places,
  count: number,
  x: number,
  y: number,
  z: number,
  scaled: Matrix3 | undefined,
  squares: Float64Array,
  at: number,
): void {
  if (scaled === undefined) {
    for (let i = 0; i < count; i++) {
      const dx = x - xs[i]!;
      const dy = y - ys[i]!;
      const dz = z - zs[i]!;
      squares[at + i] = dx * dx + dy * dy + dz * dz;
    }
    return;
  }
  const { 0: a, 1: b, 2: c, 3: d, 4: e, 5: f, 6: g, 7: h, 8: k } = scaled;
  for (let i = 0; i < count; i++) {
    const dx = x - xs[i]!;
    const dy = y - ys[i]!;
    const dz = z - zs[i]!;
    const u = a * dx + b * dy + c * dz;
    const v = d * dx + e * dy + f * dz;
    const w = g * dx + h * dy + k * dz;
    squares[at + i] = u * u + v * v + w * w;
  }
}

function compile({
  variogram_type,
  alpha,
  contribution,
  anisotropy,
}: VariogramStructure): CompiledStructure {
  const { major, semi_major, minor } = anisotropy.ellipsoid_ranges;
  const [a, b, c, d, e, f, g, h, i] = worldToLocal(anisotropy.rotation);
  const isotropic = isIsotropic(anisotropy);
  return {
    shape: { type: variogram_type, alpha },
    contribution,
    perRange: isotropic ? 1 / major : 1,
    scaled: isotropic
      ? undefined
      : [
          a / major,
          b / major,
          c / major,
          d / semi_major,
          e / semi_major,
          f / semi_major,
          g / minor,
          h / minor,
          i / minor,
        ],
  };
}
