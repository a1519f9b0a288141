import KDBush from 'kdbush';
import { isIsotropic, type Matrix3, worldToLocal } from './ellipsoid.space.js';
import type { Ellipsoid } from './ellipsoid.schema.js';
import type { Neighborhood } from './neighborhood.schema.js';
import type { SampleSet } from './sample.set.js';

/**
 * Finds the nearest samples inside a search ellipsoid.
 *
 * Samples and points are turned and stretched so that the ellipsoid becomes a sphere of radius
 * `major`. kdbush indexes two dimensions: the two in which the samples spread most. A query takes
 * the samples of a disc there, which hold all of the sphere, and measures their distances in all
 * three. The disc reaches past the samples' bounding box a little further than the last answer needed,
 * and this part doubles until it holds enough. The answer is exact and does not depend on how the
 * disc grew.
 */
export class NeighborSearch {
  /** Indices of the samples found by the last {@link around}, ascending; valid up to its answer. */
  readonly found: Uint32Array;
  readonly #local: (x: number, y: number, z: number, into: Float64Array) => void;
  readonly #radius: number;
  readonly #most: number;
  readonly #fewest: number;
  readonly #index: KDBush;
  readonly #u: Float64Array;
  readonly #v: Float64Array;
  readonly #w: Float64Array;
  readonly #axes: readonly [number, number, number];
  readonly #point = new Float64Array(3);
  readonly #candidates: Uint32Array;
  readonly #squares: Float64Array;
  readonly #box: readonly (readonly [least: number, most: number])[];
  readonly #shortest: number;
  /** How far beyond the bounding box to look first; only the speed depends on it. */
  #beyond: number;

  constructor(samples: SampleSet, { ellipsoid, max_samples, min_samples }: Neighborhood) {
    const { size } = samples;
    this.#most = Math.min(max_samples, size);
    this.#fewest = min_samples;
    this.#radius = ellipsoid.ellipsoid_ranges.major;
    this.#local = toSphere(ellipsoid, samples);
    this.found = new Uint32Array(this.#most);
    this.#squares = new Float64Array(this.#most);
    this.#candidates = new Uint32Array(size);

    const local = [0, 1, 2].map(() => new Float64Array(size));
    for (let i = 0; i < size; i++) {
      this.#local(samples.x[i]!, samples.y[i]!, samples.z[i]!, this.#point);
      for (let axis = 0; axis < 3; axis++) local[axis]![i] = this.#point[axis]!;
    }
    this.#box = local.map(extremes);
    const spreads = this.#box.map(([least, most]) => most - least);
    const [a, b, c] = [0, 1, 2].sort((i, j) => spreads[j]! - spreads[i]!) as [
      number,
      number,
      number,
    ];
    this.#axes = [a, b, c];
    this.#u = local[a]!;
    this.#v = local[b]!;
    this.#w = local[c]!;
    this.#index = new KDBush(size, 16);
    for (let i = 0; i < size; i++) this.#index.add(this.#u[i]!, this.#v[i]!);
    this.#index.finish();

    // Evenly spread samples would need about this disc.
    const width = Math.max(spreads[a]!, this.#radius * 1e-6);
    const height = Math.max(spreads[b]!, width * 1e-3);
    this.#beyond = Math.sqrt((width * height * this.#most) / size);
    this.#shortest = this.#beyond * 1e-3;
  }

  /**
   * Looks around a point.
   * @returns how many samples {@link found} holds: 0, or `min_samples` to `max_samples`
   */
  around(x: number, y: number, z: number): number {
    this.#local(x, y, z, this.#point);
    const toBox = this.#distanceToBox();
    // A hair more than the radius: a sample on the ellipsoid must not be lost to rounding.
    if (toBox > this.#radius * (1 + 1e-12)) return 0;
    let beyond = this.#beyond;
    let count = this.#within(Math.min(toBox + beyond, this.#radius));
    while (count < this.#most && toBox + beyond < this.#radius) {
      beyond *= 2;
      count = this.#within(Math.min(toBox + beyond, this.#radius));
    }
    if (count === this.#most) {
      const needed = Math.sqrt(this.#squares[count - 1]!) - toBox;
      this.#beyond = Math.max(needed * 1.1, this.#shortest);
    }
    if (count < this.#fewest) return 0;
    this.found.subarray(0, count).sort();
    return count;
  }

  #distanceToBox(): number {
    let square = 0;
    for (let axis = 0; axis < 3; axis++) {
      const [least, most] = this.#box[axis]!;
      const place = this.#point[axis]!;
      const gap = Math.max(least - place, place - most, 0);
      square += gap * gap;
    }
    return Math.sqrt(square);
  }

  /** Fills `found` with the nearest samples not further than `reach`, nearest first. */
  #within(reach: number): number {
    const { found } = this;
    const [squares, candidates] = [this.#squares, this.#candidates];
    const u = this.#point[this.#axes[0]]!;
    const v = this.#point[this.#axes[1]]!;
    const w = this.#point[this.#axes[2]]!;
    const limit = reach * reach;
    const inDisc = this.#index.withinInto(u, v, reach, candidates);
    let count = 0;
    for (let k = 0; k < inDisc; k++) {
      const sample = candidates[k]!;
      const du = this.#u[sample]! - u;
      const dv = this.#v[sample]! - v;
      const dw = this.#w[sample]! - w;
      const square = du * du + dv * dv + dw * dw;
      if (square > limit) continue;
      let place = count;
      if (count === this.#most) {
        if (!isBefore(square, sample, squares[count - 1]!, found[count - 1]!)) continue;
        place--;
      } else count++;
      while (place > 0 && isBefore(square, sample, squares[place - 1]!, found[place - 1]!)) {
        squares[place] = squares[place - 1]!;
        found[place] = found[place - 1]!;
        place--;
      }
      squares[place] = square;
      found[place] = sample;
    }
    return count;
  }
}

/**
 * Ties go to the sample listed last. Any fixed rule makes the same request have the same answer
 * everywhere; this one is what gstat's search does for nearly all ties (on a grid of round
 * coordinates there are some), so that results can be compared point by point.
 */
function isBefore(
  square: number,
  sample: number,
  otherSquare: number,
  otherSample: number,
): boolean {
  return square < otherSquare || (square === otherSquare && sample > otherSample);
}

function extremes(coordinates: Float64Array): readonly [least: number, most: number] {
  let least = Infinity;
  let most = -Infinity;
  for (const coordinate of coordinates) {
    if (coordinate < least) least = coordinate;
    if (coordinate > most) most = coordinate;
  }
  return [least, most];
}

/**
 * World → a space in which the ellipsoid is a sphere of radius `major`. An isotropic search keeps
 * the coordinates untouched, so that ties on a regular grid stay exact; any other one is centred
 * on the first sample, because large coordinates would lose digits in the rotation.
 */
function toSphere(ellipsoid: Ellipsoid, samples: SampleSet) {
  if (isIsotropic(ellipsoid)) {
    return (x: number, y: number, z: number, into: Float64Array): void => {
      into[0] = x;
      into[1] = y;
      into[2] = z;
    };
  }
  const [x0, y0, z0] = [samples.x[0]!, samples.y[0]!, samples.z[0]!];
  const m: Matrix3 = worldToLocal(ellipsoid.rotation);
  const { major, semi_major, minor } = ellipsoid.ellipsoid_ranges;
  const stretchV = major / semi_major;
  const stretchW = major / minor;
  return (x: number, y: number, z: number, into: Float64Array): void => {
    const [dx, dy, dz] = [x - x0, y - y0, z - z0];
    into[0] = m[0] * dx + m[1] * dy + m[2] * dz;
    into[1] = (m[3] * dx + m[4] * dy + m[5] * dz) * stretchV;
    into[2] = (m[6] * dx + m[7] * dy + m[8] * dz) * stretchW;
  };
}
