import { at } from '../../document/place.js';
import type { Packed } from '../../document/packed.js';

/** γ(h) of a variogram model along the major axes of its structures; null when it is none. */
export function variogramCurve(model: Packed | undefined): ((h: number) => number) | null {
  if (model === undefined) return null;
  const nugget = at(model, 'nugget');
  const structures = at(model, 'structures');
  if (typeof nugget !== 'number' || !Array.isArray(structures)) return null;
  const shapes = (structures as Packed[]).map((each) => ({
    type: JSON.stringify(at(each, 'variogram_type') ?? '').slice(1, -1),
    alpha: Number(at(each, 'alpha') ?? 3),
    contribution: Number(at(each, 'contribution')),
    range: Number(at(each, 'anisotropy.ellipsoid_ranges.major')),
  }));
  if (shapes.some(({ type, range }) => UNIT[type] === undefined || !(range > 0))) return null;
  return (h) =>
    shapes.reduce(
      (sum, { type, alpha, contribution, range }) =>
        sum + contribution * (UNIT[type] as Unit)(h / range, alpha),
      h > 0 ? nugget : 0,
    );
}

type Unit = (h: number, alpha: number) => number;

/** γ of a structure of contribution 1, as the kriging task defines them; h in ranges. */
const UNIT: Readonly<Record<string, Unit>> = {
  spherical: (h) => (h < 1 ? h * (1.5 - 0.5 * h * h) : 1),
  exponential: (h) => -Math.expm1(-3 * h),
  gaussian: (h) => -Math.expm1(-3 * h * h),
  cubic: (h) => (h < 1 ? h * h * (7 + h * (-8.75 + h * h * (3.5 - 0.75 * h * h))) : 1),
  linear: (h) => h,
  generalisedcauchy: (h, alpha) => 1 - (1 + h * h) ** (-alpha / 2),
  spheroidal,
};

function spheroidal(h: number, alpha: number): number {
  const inflection = Math.sqrt(1 / (alpha + 1));
  const whole = partOf(alpha);
  const x = h * Math.sqrt((whole / (partOf(9) * 2 ** -4.5)) ** (2 / alpha) - 1);
  if (x >= inflection) return 1 - whole * (1 + x * x) ** (-alpha / 2);
  const slope = whole * alpha * inflection * (1 + inflection * inflection) ** (-alpha / 2 - 1);
  return slope * x;
}

/** 1 / what the tangent of the Cauchy covariance at its inflection point is at 0. */
function partOf(alpha: number): number {
  const square = 1 / (alpha + 1);
  const value = (1 + square) ** (-alpha / 2);
  return 1 / (value + alpha * square * (1 + square) ** (-alpha / 2 - 1));
}
