import type { CoordinateTolerance } from './coordinate.tolerance.js';
import { isIsotropic, type Matrix3, worldToLocal } from './ellipsoid.space.js';
import type { Ellipsoid } from './ellipsoid.schema.js';
import { lengthOf } from './length.js';
import { NearestHeap } from './nearest.heap.js';
import { LEAF, NeighborTree } from './neighbor.tree.js';
import type { Neighborhood } from './neighborhood.schema.js';
import type { SampleSet } from './sample.set.js';

/** Roundings of a coordinate on the way from two places to their distance. */
const OPERATIONS = 4;
/**
 * Distances that differ by less than this many roundings are equal: on a regular grid, equally distant
 * samples stay so wherever its origin is. It is 4e-12 of the coordinates: 2e-5 m for UTM northings.
 */
const TIE_ROUNDINGS = 2 ** 14;
/** Round distances shall not lie on the border of two classes of equal ones. */
const TIE_OFFSET = (3 - Math.sqrt(5)) / 2;

/**
 * Finds the nearest samples inside a search ellipsoid, or on it.
 *
 * Distances are those of a space in which the ellipsoid is a sphere of radius `major`, computed from the
 * difference of the world coordinates, so that large coordinates cost no digits. A sample on the
 * ellipsoid counts as inside in spite of rounding; how much that may be follows from the size of the
 * coordinates and the direction. Of equally distant samples those with the smallest x, then y, then z are
 * taken: a rule that does not hang on how they were listed.
 */
export class NeighborSearch {
  /** The samples found by the last {@link around}, ascending; valid up to its answer. */
  readonly found: Uint32Array;
  readonly #samples: SampleSet;
  readonly #space: Matrix3;
  readonly #radius: number;
  readonly #fewest: number;
  readonly #rounding: CoordinateTolerance['rounding'];
  /** The most that rounding may add to a distance, in any direction. */
  readonly #slack: number;
  readonly #tieWidth: number;
  readonly #origin: readonly [number, number, number];
  readonly #tree: NeighborTree;
  readonly #nearest: NearestHeap;

  constructor(
    samples: SampleSet,
    { ellipsoid, max_samples, min_samples }: Neighborhood,
    tolerance: CoordinateTolerance,
  ) {
    const most = Math.min(max_samples, samples.size);
    this.#samples = samples;
    this.#fewest = min_samples;
    this.#radius = ellipsoid.ellipsoid_ranges.major;
    this.#space = toSphere(ellipsoid);
    this.#rounding = tolerance.rounding;
    this.found = new Uint32Array(most);
    this.#nearest = new NearestHeap(most);
    const m = this.#space;
    const row = (i: number) =>
      tolerance.rounding.reduce((sum, unit, axis) => sum + Math.abs(m[3 * i + axis]!) * unit, 0);
    const rounding = Math.hypot(row(0), row(1), row(2));
    this.#slack = 4 * OPERATIONS * rounding;
    this.#tieWidth = Math.max(TIE_ROUNDINGS * rounding, Number.MIN_VALUE);

    this.#origin = [samples.x[0]!, samples.y[0]!, samples.z[0]!];
    const axis = () => new Float64Array(samples.size);
    const [u, v, w] = [axis(), axis(), axis()];
    for (let i = 0; i < samples.size; i++) {
      [u[i], v[i], w[i]] = this.#toLocal(samples.x[i]!, samples.y[i]!, samples.z[i]!) as [
        number,
        number,
        number,
      ];
    }
    this.#tree = new NeighborTree({ u, v, w });
  }

  /**
   * Looks around a point.
   * @returns how many samples {@link found} holds: 0, or `min_samples` to `max_samples`
   */
  around(x: number, y: number, z: number): number {
    const nearest = this.#nearest;
    nearest.clear();
    const [u, v, w] = this.#toLocal(x, y, z);
    this.#visit(0, 0, this.#tree.size, u, v, w, x, y, z);
    const { count } = nearest;
    if (count < this.#fewest) return 0;
    this.found.set(nearest.members);
    sortAscending(this.found, count);
    return count;
  }

  /** Into the space of the sphere, from a sample: only for boxes, which have slack. */
  #toLocal(x: number, y: number, z: number): [number, number, number] {
    const m = this.#space;
    const [dx, dy, dz] = [x - this.#origin[0], y - this.#origin[1], z - this.#origin[2]];
    return [
      m[0] * dx + m[1] * dy + m[2] * dz,
      m[3] * dx + m[4] * dy + m[5] * dz,
      m[6] * dx + m[7] * dy + m[8] * dz,
    ];
  }

  /** Looks at a node of the tree, the nearer child first. */
  #visit(
    node: number,
    from: number,
    to: number,
    u: number,
    v: number,
    w: number,
    x: number,
    y: number,
    z: number,
  ): void {
    const tree = this.#tree;
    if (tree.isLeaf(node, from, to)) {
      this.#look(from, to, x, y, z);
      return;
    }
    const middle = (from + to) >>> 1;
    const [left, right] = [2 * node + 1, 2 * node + 2];
    const toLeft = this.#atLeast(tree.distanceTo(left, u, v, w));
    const toRight = this.#atLeast(tree.distanceTo(right, u, v, w));
    const leftFirst =
      toLeft < toRight || (toLeft === toRight && tree.first[left]! < tree.first[right]!);
    if (leftFirst && this.#mayHold(toLeft, tree.first[left]!)) {
      this.#visit(left, from, middle, u, v, w, x, y, z);
    }
    if (this.#mayHold(toRight, tree.first[right]!)) {
      this.#visit(right, middle, to, u, v, w, x, y, z);
    }
    if (!leftFirst && this.#mayHold(toLeft, tree.first[left]!)) {
      this.#visit(left, from, middle, u, v, w, x, y, z);
    }
  }

  /** A distance less all that rounding may have added. */
  #atLeast(distance: number): number {
    return Math.max(0, distance * (1 - 1e-12) - this.#slack);
  }

  #mayHold(distance: number, first: number): boolean {
    return (
      distance <= this.#radius + this.#slack && this.#nearest.wouldTake(this.#tie(distance), first)
    );
  }

  #look(from: number, to: number, x: number, y: number, z: number): void {
    const { x: xs, y: ys, z: zs } = this.#samples;
    const m = this.#space;
    for (let k = from; k < to; k++) {
      const sample = this.#tree.order[k]!;
      const [dx, dy, dz] = [xs[sample]! - x, ys[sample]! - y, zs[sample]! - z];
      const u = m[0] * dx + m[1] * dy + m[2] * dz;
      const v = m[3] * dx + m[4] * dy + m[5] * dz;
      const w = m[6] * dx + m[7] * dy + m[8] * dz;
      const distance = lengthOf(u, v, w);
      const tie = this.#tie(distance);
      const isInside = distance <= this.#radius || this.#isOnSphere(distance, u, v, w);
      if (isInside && this.#nearest.wouldTake(tie, sample)) this.#nearest.add(tie, sample);
      // All at one place: the others are as far, and behind in the order.
      else if (to - from > LEAF) return;
    }
  }

  /** Distances in classes of equal ones. */
  #tie(distance: number): number {
    return Math.floor(distance / this.#tieWidth + TIE_OFFSET);
  }

  /** Whether no more than rounding keeps a place outside. */
  #isOnSphere(distance: number, u: number, v: number, w: number): boolean {
    if (distance > this.#radius + this.#slack) return false;
    const m = this.#space;
    let rounding = 0;
    for (const [axis, unit] of this.#rounding.entries()) {
      const column =
        Math.abs(u * m[axis]!) + Math.abs(v * m[3 + axis]!) + Math.abs(w * m[6 + axis]!);
      rounding += (column / distance) * unit;
    }
    return distance <= this.#radius + OPERATIONS * rounding;
  }
}

/** Up to this many numbers, moving each to its place is quicker than the built-in sort. */
const FEW = 64;

function sortAscending(numbers: Uint32Array, count: number): void {
  if (count > FEW) {
    numbers.subarray(0, count).sort();
    return;
  }
  for (let i = 1; i < count; i++) {
    const number = numbers[i]!;
    let place = i;
    while (place > 0 && numbers[place - 1]! > number) numbers[place] = numbers[--place]!;
    numbers[place] = number;
  }
}

/** World vector → a space in which the ellipsoid is a sphere of radius `major`. */
function toSphere(ellipsoid: Ellipsoid): Matrix3 {
  if (isIsotropic(ellipsoid)) return [1, 0, 0, 0, 1, 0, 0, 0, 1];
  const { major, semi_major, minor } = ellipsoid.ellipsoid_ranges;
  const [a, b, c, d, e, f, g, h, i] = worldToLocal(ellipsoid.rotation);
  const [v, w] = [major / semi_major, major / minor];
  return [a, b, c, d * v, e * v, f * v, g * w, h * w, i * w];
}
