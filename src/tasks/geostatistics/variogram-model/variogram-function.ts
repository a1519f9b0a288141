import { isIsotropic, type Matrix3, worldToLocal } from '../neighbors/ellipsoid-space.js';
import type {
  Alpha,
  VariogramModel,
  VariogramStructure,
  VariogramType,
} from './variogram.schema.js';

/** What makes the form of a structure, apart from its size. */
export interface Shape {
  readonly type: VariogramType;
  /** Of `spheroidal` and `generalisedcauchy`, which need it. */
  readonly alpha?: Alpha | undefined;
}

interface CompiledStructure {
  readonly shape: Shape;
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
  /** False with a linear structure, which grows without end. */
  readonly hasSill: boolean;
  readonly #structures: readonly CompiledStructure[];

  constructor({ nugget, structures }: VariogramModel) {
    this.nugget = nugget;
    this.sill = structures.reduce((sum, { contribution }) => sum + contribution, nugget);
    this.hasSill = structures.every(
      ({ variogram_type, contribution }) => variogram_type !== 'linear' || contribution === 0,
    );
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
    for (const { shape, contribution, range, scaled } of this.#structures) {
      let h: number;
      if (scaled) {
        const u = scaled[0] * dx + scaled[1] * dy + scaled[2] * dz;
        const v = scaled[3] * dx + scaled[4] * dy + scaled[5] * dz;
        const w = scaled[6] * dx + scaled[7] * dy + scaled[8] * dz;
        h = Math.sqrt(u * u + v * v + w * w);
      } else {
        h = Math.sqrt(dx * dx + dy * dy + dz * dz) / range;
      }
      sum += contribution * unitSemivariance(shape, h);
    }
    return sum;
  }
}

/**
 * γ of a structure of contribution 1.
 * @param h distance divided by range, not negative
 */
export function unitSemivariance({ type, alpha }: Shape, h: number): number {
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
    case 'generalisedcauchy':
      return cauchy(alpha!, h);
    case 'spheroidal':
      return spheroidal(SPHEROIDS[alpha!], h);
    default:
      return type satisfies never;
  }
}

/** 1 − (1 + h²)^(−α/2), without losing the digits of a small h. */
function cauchy(alpha: Alpha, h: number): number {
  return -Math.expm1((-alpha / 2) * Math.log1p(h * h));
}

interface Spheroid {
  readonly alpha: Alpha;
  /** What h is multiplied by. */
  readonly scale: number;
  /** Where the straight line ends: the inflection point of the Cauchy curve. */
  readonly inflection: number;
  /** Of the straight line. */
  readonly slope: number;
  /** What the Cauchy covariance is multiplied by: 1 / what its tangent at the inflection is at 0. */
  readonly part: number;
}

/**
 * The spheroidal family (M. Stewart, "The Spheroidal family of variograms explained", Seequent): the
 * Cauchy covariance (1 + x²)^(−α/2) is replaced by its tangent between 0 and its inflection point
 * x² = 1 / (α + 1), and the whole divided by what the tangent is at 0, so that γ rises from 0 in a
 * straight line and goes on without a kink. Ranges are scaled so that γ(range) is the same for all α
 * as for α = 9, whose scale is 1: 1 − 2^(−9/2) / c₉ = 0.9627, the "96 % of the sill" of its manuals.
 */
const SPHEROIDS: Record<Alpha, Spheroid> = {
  3: spheroid(3),
  5: spheroid(5),
  7: spheroid(7),
  9: spheroid(9),
};

function spheroid(alpha: Alpha): Spheroid {
  const part = spheroidPart(alpha);
  const inflection = Math.sqrt(1 / (alpha + 1));
  const rest = spheroidPart(9) * 2 ** -4.5;
  return {
    alpha,
    scale: Math.sqrt((part / rest) ** (2 / alpha) - 1),
    inflection,
    slope: part * alpha * inflection * (1 + inflection * inflection) ** (-alpha / 2 - 1),
    part,
  };
}

/** 1 / the tangent at 0, which is 2 (1 + x²)^(−α/2 − 1) at the inflection point. */
function spheroidPart(alpha: number): number {
  return (1 + 1 / (alpha + 1)) ** (alpha / 2 + 1) / 2;
}

function spheroidal({ alpha, scale, inflection, slope, part }: Spheroid, h: number): number {
  const x = scale * h;
  return x < inflection ? slope * x : 1 - part * (1 + x * x) ** (-alpha / 2);
}

function compile({
  variogram_type,
  alpha,
  contribution,
  anisotropy,
}: VariogramStructure): CompiledStructure {
  const { major, semi_major, minor } = anisotropy.ellipsoid_ranges;
  const [a, b, c, d, e, f, g, h, i] = worldToLocal(anisotropy.rotation);
  return {
    shape: { type: variogram_type, alpha },
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
