import { type CoordinateTolerance, UNITS_IN_LAST_PLACE } from '../../coordinate-tolerance.js';
import { lengthOf } from '../../length.js';
import { isIsotropic, type Matrix3, worldToLocal } from '../ellipsoid-space.js';
import type { Ellipsoid } from '../ellipsoid.schema.js';

/** Roundings of a coordinate on the way from two places to their distance. */
const OPERATIONS = 4;
/**
 * Distances that differ by less than this many roundings are equal: on a regular grid, equally distant
 * samples stay so wherever its origin is. It is 4e-12 of the coordinates: 2e-5 m for UTM northings.
 */
const TIE_ROUNDINGS = 2 ** 14;
/** So many of those that the stretched axes of the ellipsoid add. */
const TIE_STRETCHED = 2 ** 4;
/** Class of the sample that a point is on: before all others, however near they are. */
export const HIT = -1;
/** Round distances shall not lie on the border of two classes of equal ones. */
const TIE_OFFSET = (3 - Math.sqrt(5)) / 2;

/**
 * The space in which a search ellipsoid is a sphere of radius `major`, and how far rounding reaches in it.
 * Vectors are differences of world coordinates, so that large coordinates cost no digits.
 */
export class SphereSpace {
  /** World vector → vector of this space. */
  readonly matrix: Matrix3;
  readonly radius: number;
  /** The most that rounding may add to a distance, in any direction. */
  readonly slack: number;
  /** Distances fall into classes this wide. */
  readonly tieWidth: number;
  /** No sample that a point is on is further than this. */
  readonly furthestHit: number;
  /** How far below 0 a coordinate of this space may be by rounding alone. */
  readonly signs: readonly [number, number, number];
  readonly #rounding: CoordinateTolerance['rounding'];

  /** @param directions whether the axes matter, and not only the distance */
  constructor(ellipsoid: Ellipsoid, { rounding: units }: CoordinateTolerance, directions: boolean) {
    const m = toSphere(ellipsoid, directions);
    const row = (i: number) =>
      units.reduce((sum, unit, axis) => sum + Math.abs(m[3 * i + axis]!) * unit, 0);
    const rounding = Math.hypot(row(0), row(1), row(2));
    this.matrix = m;
    this.radius = ellipsoid.ellipsoid_ranges.major;
    this.signs = [OPERATIONS * row(0), OPERATIONS * row(1), OPERATIONS * row(2)];
    this.slack = 4 * OPERATIONS * rounding;
    this.furthestHit = UNITS_IN_LAST_PLACE * rounding;
    this.tieWidth = Math.max(
      TIE_ROUNDINGS * Math.hypot(...units),
      TIE_STRETCHED * rounding,
      Number.MIN_VALUE,
    );
    this.#rounding = units;
  }

  /** World vector → vector of this space. */
  turned(dx: number, dy: number, dz: number): [number, number, number] {
    const m = this.matrix;
    return [
      m[0] * dx + m[1] * dy + m[2] * dz,
      m[3] * dx + m[4] * dy + m[5] * dz,
      m[6] * dx + m[7] * dy + m[8] * dz,
    ];
  }

  /** Length of a world vector here: `radius` on the ellipsoid. */
  lengthOf(dx: number, dy: number, dz: number): number {
    return lengthOf(...this.turned(dx, dy, dz));
  }

  /** The class of a distance: distances in one class are equal. */
  tie(distance: number): number {
    return Math.floor(distance / this.tieWidth + TIE_OFFSET);
  }

  /** A distance less all that rounding may have added. */
  atLeast(distance: number): number {
    return Math.max(0, distance * (1 - 1e-12) - this.slack);
  }

  /** Whether a place is in the ellipsoid, or no more than rounding keeps it outside. */
  isInside(distance: number, u: number, v: number, w: number): boolean {
    if (distance <= this.radius) return true;
    if (distance > this.radius + this.slack) return false;
    const m = this.matrix;
    let rounding = 0;
    for (const [axis, unit] of this.#rounding.entries()) {
      const column =
        Math.abs(u * m[axis]!) + Math.abs(v * m[3 + axis]!) + Math.abs(w * m[6 + axis]!);
      rounding += (column / distance) * unit;
    }
    return distance <= this.radius + OPERATIONS * rounding;
  }
}

function toSphere(ellipsoid: Ellipsoid, directions: boolean): Matrix3 {
  if (isIsotropic(ellipsoid) && !directions) return [1, 0, 0, 0, 1, 0, 0, 0, 1];
  const { major, semi_major, minor } = ellipsoid.ellipsoid_ranges;
  const [a, b, c, d, e, f, g, h, i] = worldToLocal(ellipsoid.rotation);
  const [v, w] = [major / semi_major, major / minor];
  return [a, b, c, d * v, e * v, f * v, g * w, h * w, i * w];
}
