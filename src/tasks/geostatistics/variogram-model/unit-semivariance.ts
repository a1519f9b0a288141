import type { Alpha, VariogramType } from './variogram.schema.js';

/** What makes the form of a structure, apart from its size. */
export interface Shape {
  readonly type: VariogramType;
  /** Of `spheroidal` and `generalisedcauchy`, which need it. */
  readonly alpha?: Alpha | undefined;
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

/**
 * Adds factor · γ(√square · perRange) to each of the sums: {@link unitSemivariance} for many lengths, given
 * squared. The spherical model, by far the most used one, has a loop of its own without a branch.
 */
export function addSemivariances(
  shape: Shape,
  factor: number,
  squares: Float64Array,
  perRange: number,
  count: number,
  sums: Float64Array,
): void {
  if (shape.type === 'spherical') {
    for (let k = 0; k < count; k++) {
      const h = Math.min(Math.sqrt(squares[k]!) * perRange, 1);
      sums[k]! += factor * (h * (1.5 - 0.5 * h * h));
    }
  } else {
    for (let k = 0; k < count; k++) {
      sums[k]! += factor * unitSemivariance(shape, Math.sqrt(squares[k]!) * perRange);
    }
  }
}

/** Σ γ(√square · perRange). */
export function totalSemivariance(
  shape: Shape,
  squares: Float64Array,
  perRange: number,
  count: number,
): number {
  let total = 0;
  if (shape.type === 'spherical') {
    for (let k = 0; k < count; k++) {
      const h = Math.min(Math.sqrt(squares[k]!) * perRange, 1);
      total += h * (1.5 - 0.5 * h * h);
    }
  } else {
    for (let k = 0; k < count; k++) {
      total += unitSemivariance(shape, Math.sqrt(squares[k]!) * perRange);
    }
  }
  return total;
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
