import { isIsotropic, type Matrix3, worldToLocal } from './ellipsoid.space.js';
import type { VariogramModel, VariogramStructure, VariogramType } from './variogram.schema.js';

interface CompiledStructure {
  readonly type: VariogramType;
  readonly contribution: number;
  readonly range: number;
  /** World vector → local vector divided by the ranges; absent when isotropic. */
  readonly scaled: Matrix3 | undefined;
}

/**
 * Semivariances of a nested variogram model (Journel & Huijbregts 1978, III.B), in squared units
 * of the values, as a function of the separation vector.
 */
export class VariogramFunction {
  readonly nugget: number;
  /** Nugget and contributions: C(0) of the covariance, when no structure is linear. */
  readonly sill: number;
  readonly #structures: readonly CompiledStructure[];

  constructor({ nugget, structures }: VariogramModel) {
    this.nugget = nugget;
    this.sill = structures.reduce((sum, { contribution }) => sum + contribution, nugget);
    this.#structures = structures.filter(({ contribution }) => contribution > 0).map(compile);
  }

  /** γ between two points: 0 at distance 0, and nugget plus structures everywhere else. */
  between(dx: number, dy: number, dz: number): number {
    if (dx === 0 && dy === 0 && dz === 0) return 0;
    return this.nugget + this.structured(dx, dy, dz);
  }

  /** The structures' part of γ, without the nugget: continuous, and 0 at distance 0. */
  structured(dx: number, dy: number, dz: number): number {
    let sum = 0;
    for (const { type, contribution, range, scaled } of this.#structures) {
      let h: number;
      if (scaled) {
        const u = scaled[0] * dx + scaled[1] * dy + scaled[2] * dz;
        const v = scaled[3] * dx + scaled[4] * dy + scaled[5] * dz;
        const w = scaled[6] * dx + scaled[7] * dy + scaled[8] * dz;
        h = Math.sqrt(u * u + v * v + w * w);
      } else {
        h = Math.sqrt(dx * dx + dy * dy + dz * dz) / range;
      }
      sum += contribution * unitSemivariance(type, h);
    }
    return sum;
  }
}

/**
 * γ of a structure of contribution 1.
 * @param h distance divided by range, not negative
 */
export function unitSemivariance(type: VariogramType, h: number): number {
  switch (type) {
    case 'spherical':
      return h < 1 ? h * (1.5 - 0.5 * h * h) : 1;
    case 'exponential':
      return -Math.expm1(-3 * h);
    case 'gaussian':
      return -Math.expm1(-3 * h * h);
    case 'cubic': {
      if (h >= 1) return 1;
      const square = h * h;
      return square * (7 + h * (-8.75 + square * (3.5 - 0.75 * square)));
    }
    case 'linear':
      return h;
    default:
      return type satisfies never;
  }
}

function compile({
  variogram_type,
  contribution,
  anisotropy,
}: VariogramStructure): CompiledStructure {
  const { major, semi_major, minor } = anisotropy.ellipsoid_ranges;
  const [a, b, c, d, e, f, g, h, i] = worldToLocal(anisotropy.rotation);
  return {
    type: variogram_type,
    contribution,
    range: major,
    scaled: isIsotropic(anisotropy)
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
