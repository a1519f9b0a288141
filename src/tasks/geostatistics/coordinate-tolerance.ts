/** Largest absolute coordinates along x, y and z: what the rounding of a place is relative to. */
export type Magnitudes = readonly [x: number, y: number, z: number];

/**
 * A place that was computed (origin + (i + 0.5) · spacing, a sum of steps, a shift to another datum) and
 * the same place read from a file differ by a few units in the last place of the largest number that
 * took part. 32 of them are 7e-15 of it: 4e-8 m for UTM northings, which no survey resolves.
 */
export const UNITS_IN_LAST_PLACE = 32;

/**
 * How far two places may be apart, along each axis, and still be the same place written twice.
 * Everything beyond it is an honest distance.
 */
export class CoordinateTolerance {
  /** Rounding of one operation on the largest coordinate of each axis. */
  readonly rounding: Magnitudes;
  /** How far two places may be apart along each axis. */
  readonly along: Magnitudes;

  /**
   * @param magnitudes of all places that are compared
   * @param cell spacing of a grid among them: cells stay apart, however large the coordinates
   */
  constructor(magnitudes: Magnitudes, cell: readonly number[] = []) {
    this.rounding = perAxis((axis) => Number.EPSILON * magnitudes[axis]);
    this.along = perAxis((axis) =>
      Math.min(UNITS_IN_LAST_PLACE * this.rounding[axis], (cell[axis] ?? Infinity) / 4),
    );
  }

  /** Whether a way from one place to another is none. */
  isNone(dx: number, dy: number, dz: number): boolean {
    const { along } = this;
    return Math.abs(dx) <= along[0] && Math.abs(dy) <= along[1] && Math.abs(dz) <= along[2];
  }
}

const perAxis = (of: (axis: 0 | 1 | 2) => number): Magnitudes => [of(0), of(1), of(2)];

/** The larger of two, axis by axis. */
export function largest(a: Magnitudes, b: Magnitudes): Magnitudes {
  return perAxis((axis) => Math.max(a[axis], b[axis]));
}

/** The largest absolute coordinates of some places. */
export function magnitudesOf(places: Readonly<Record<'x' | 'y' | 'z', Float64Array>>): Magnitudes {
  return [largestOf(places.x), largestOf(places.y), largestOf(places.z)];
}

function largestOf(coordinates: Float64Array): number {
  let most = 0;
  for (const coordinate of coordinates) most = Math.max(most, Math.abs(coordinate));
  return most;
}
