import { type CoordinateTolerance, UNITS_IN_LAST_PLACE } from '../coordinate-tolerance.js';
import { isIsotropic, type Matrix3, worldToLocal } from './ellipsoid-space.js';
import type { Ellipsoid } from './ellipsoid.schema.js';
import { lengthOf } from '../length.js';
import { NearestHeap } from './nearest-heap.js';
import { LEAF, NeighborTree } from './neighbor-tree.js';
import type { Neighborhood } from './neighborhood.schema.js';
import type { SampleSet } from '../samples/sample-set.js';
import {
  hasEnoughSectors,
  OCTANTS,
  quadrantOf,
  type SectorRules,
  sectorRules,
} from './sector-limits.js';

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
const HIT = -1;
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
  readonly #tolerance: CoordinateTolerance;
  /** No sample that the point is on is further than this. */
  readonly #furthestHit: number;
  readonly #origin: readonly [number, number, number];
  readonly #tree: NeighborTree;
  readonly #rules: SectorRules | undefined;
  /** One for all directions, or one for each octant. */
  readonly #nearest: readonly NearestHeap[];
  /** How far below 0 a local coordinate may be by rounding alone. */
  readonly #signs: readonly [number, number, number];
  /** The point of the last {@link around}, in the space of the sphere. */
  readonly #point = new Float64Array(3);
  /** Class of the distance of the furthest sample found. */
  #furthest = 0;

  constructor(
    samples: SampleSet,
    { ellipsoid, max_samples, min_samples, ...limits }: Neighborhood,
    tolerance: CoordinateTolerance,
  ) {
    const most = Math.min(max_samples, samples.size);
    this.#samples = samples;
    this.#fewest = min_samples;
    this.#radius = ellipsoid.ellipsoid_ranges.major;
    const rules = sectorRules(limits);
    this.#rules = rules;
    this.#space = toSphere(ellipsoid, rules !== undefined);
    this.#rounding = tolerance.rounding;
    this.found = new Uint32Array(most);
    this.#nearest =
      rules === undefined
        ? [new NearestHeap(most)]
        : Array.from(
            { length: OCTANTS },
            () => new NearestHeap(Math.min(most, rules.perOctant, rules.perQuadrant)),
          );
    const m = this.#space;
    const row = (i: number) =>
      tolerance.rounding.reduce((sum, unit, axis) => sum + Math.abs(m[3 * i + axis]!) * unit, 0);
    const rounding = Math.hypot(row(0), row(1), row(2));
    this.#signs = [OPERATIONS * row(0), OPERATIONS * row(1), OPERATIONS * row(2)];
    this.#slack = 4 * OPERATIONS * rounding;
    this.#tolerance = tolerance;
    this.#furthestHit = UNITS_IN_LAST_PLACE * rounding;
    this.#tieWidth = Math.max(
      TIE_ROUNDINGS * Math.hypot(...tolerance.rounding),
      TIE_STRETCHED * rounding,
      Number.MIN_VALUE,
    );

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
    for (const nearest of this.#nearest) nearest.clear();
    this.#point.set(this.#toLocal(x, y, z));
    this.#visit(0, 0, this.#tree.size, x, y, z);
    const count = this.#rules === undefined ? this.#takeNearest() : this.#takeByRules(this.#rules);
    if (count < this.#fewest) return 0;
    sortAscending(this.found, count);
    return count;
  }

  /** Distance from a sample to a point in the space of the sphere: `major` on the ellipsoid. */
  anisotropicDistance(sample: number, x: number, y: number, z: number): number {
    const { x: xs, y: ys, z: zs } = this.#samples;
    const m = this.#space;
    const [dx, dy, dz] = [xs[sample]! - x, ys[sample]! - y, zs[sample]! - z];
    return lengthOf(
      m[0] * dx + m[1] * dy + m[2] * dz,
      m[3] * dx + m[4] * dy + m[5] * dz,
      m[6] * dx + m[7] * dy + m[8] * dz,
    );
  }

  /**
   * How many samples inside the ellipsoid were not taken though they are as far as the furthest that was.
   * @param count the answer of the last {@link around}, of the same point
   */
  equallyFar(count: number, x: number, y: number, z: number): number {
    const isNear = (distance: number): boolean => distance <= this.#radius + this.#slack;
    let there = 0;
    const stack: [node: number, from: number, to: number][] = [[0, 0, this.#tree.size]];
    for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
      const [node, from, to] = top;
      const least = this.#atLeast(this.#tree.distanceTo(node, ...this.#at()));
      if (!isNear(least) || this.#tie(least) > this.#furthest) continue;
      if (!this.#tree.isLeaf(node, from, to)) {
        const middle = (from + to) >>> 1;
        stack.push([2 * node + 1, from, middle], [2 * node + 2, middle, to]);
        continue;
      }
      for (let k = from; k < to; k++) {
        const sample = this.#tree.order[k]!;
        const distance = this.anisotropicDistance(sample, x, y, z);
        if (isNear(distance) && this.#tie(distance) === this.#furthest) there++;
      }
    }
    for (let i = 0; i < count; i++) {
      const distance = this.anisotropicDistance(this.found[i]!, x, y, z);
      if (this.#tie(distance) === this.#furthest) there--;
    }
    return there;
  }

  #at(): [u: number, v: number, w: number] {
    return [this.#point[0]!, this.#point[1]!, this.#point[2]!];
  }

  #takeNearest(): number {
    const nearest = this.#nearest[0]!;
    this.found.set(nearest.members);
    this.#furthest = nearest.distances[0]!;
    return nearest.count;
  }

  /** The nearest that the rules leave: by octant they are kept already. */
  #takeByRules(rules: SectorRules): number {
    const counts = this.#nearest.map(({ count }) => count);
    if (!hasEnoughSectors(counts, rules)) return 0;
    const kept = this.#nearest.flatMap(({ count, distances, members }, octant) =>
      Array.from({ length: count }, (_, i) => ({
        distance: distances[i]!,
        sample: members[i]!,
        quadrant: quadrantOf(octant),
      })),
    );
    kept.sort((a, b) => a.distance - b.distance || a.sample - b.sample);
    const taken = [0, 0, 0, 0];
    let count = 0;
    for (const { distance, sample, quadrant } of kept) {
      if (count === this.found.length) break;
      if (taken[quadrant]! >= rules.perQuadrant) continue;
      taken[quadrant]!++;
      this.found[count++] = sample;
      this.#furthest = distance;
    }
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
  #visit(node: number, from: number, to: number, x: number, y: number, z: number): void {
    const tree = this.#tree;
    if (tree.isLeaf(node, from, to)) {
      this.#look(from, to, x, y, z);
      return;
    }
    const [u, v, w] = [this.#point[0]!, this.#point[1]!, this.#point[2]!];
    const middle = (from + to) >>> 1;
    const [left, right] = [2 * node + 1, 2 * node + 2];
    const toLeft = this.#atLeast(tree.distanceTo(left, u, v, w));
    const toRight = this.#atLeast(tree.distanceTo(right, u, v, w));
    const leftFirst =
      toLeft < toRight || (toLeft === toRight && tree.first[left]! < tree.first[right]!);
    if (leftFirst && this.#mayHold(toLeft, left)) this.#visit(left, from, middle, x, y, z);
    if (this.#mayHold(toRight, right)) this.#visit(right, middle, to, x, y, z);
    if (!leftFirst && this.#mayHold(toLeft, left)) this.#visit(left, from, middle, x, y, z);
  }

  /** A distance less all that rounding may have added. */
  #atLeast(distance: number): number {
    return Math.max(0, distance * (1 - 1e-12) - this.#slack);
  }

  #mayHold(distance: number, node: number): boolean {
    if (distance > this.#radius + this.#slack) return false;
    const tie = distance <= this.#furthestHit ? HIT : this.#tie(distance);
    const first = this.#tree.first[node]!;
    if (this.#rules === undefined) return this.#nearest[0]!.wouldTake(tie, first);
    return this.#nearest.some(
      (nearest, octant) => nearest.wouldTake(tie, first) && this.#reaches(node, octant),
    );
  }

  /** Whether the box of a node may have a part in an octant around the point. */
  #reaches(node: number, octant: number): boolean {
    const { boxes } = this.#tree;
    for (let axis = 0; axis < 3; axis++) {
      const place = this.#point[axis]!;
      const isNegative = (octant >> axis) & 1;
      if (
        isNegative
          ? boxes[6 * node + axis]! > place + this.#slack
          : boxes[6 * node + 3 + axis]! < place - this.#slack
      ) {
        return false;
      }
    }
    return true;
  }

  /** The heap for what lies in this direction. */
  #heapOf(u: number, v: number, w: number): NearestHeap {
    if (this.#rules === undefined) return this.#nearest[0]!;
    const [a, b, c] = this.#signs;
    return this.#nearest[(u < -a ? 1 : 0) | (v < -b ? 2 : 0) | (w < -c ? 4 : 0)]!;
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
      const isHit = this.#tolerance.isNone(dx, dy, dz);
      const tie = isHit ? HIT : this.#tie(distance);
      const isInside = isHit || distance <= this.#radius || this.#isOnSphere(distance, u, v, w);
      const nearest = this.#heapOf(u, v, w);
      if (isInside && nearest.wouldTake(tie, sample)) nearest.add(tie, sample);
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

/**
 * World vector → a space in which the ellipsoid is a sphere of radius `major`.
 * @param directions whether the axes matter, and not only the distance
 */
function toSphere(ellipsoid: Ellipsoid, directions: boolean): Matrix3 {
  if (isIsotropic(ellipsoid) && !directions) return [1, 0, 0, 0, 1, 0, 0, 0, 1];
  const { major, semi_major, minor } = ellipsoid.ellipsoid_ranges;
  const [a, b, c, d, e, f, g, h, i] = worldToLocal(ellipsoid.rotation);
  const [v, w] = [major / semi_major, major / minor];
  return [a, b, c, d * v, e * v, f * v, g * w, h * w, i * w];
}
