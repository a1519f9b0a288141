import type { CoordinateTolerance } from '../../coordinate-tolerance.js';
import { lengthOf } from '../../length.js';
import type { Samples } from '../../samples/sample-set.js';
import { NearbySamples } from './nearby-samples.js';
import { NearestHeap } from './nearest-heap.js';
import { NearestSearch } from './nearest-search.js';
import type { Neighborhood } from '../neighborhood.schema.js';
import { NeighborTree } from './neighbor-tree.js';
import { sectorRules } from '../sector-limits.js';
import { SectorSearch } from './sector-search.js';
import { SphereSpace } from './sphere-space.js';

/** A point this part of the neighborhood's size from the one before is close to it: more will come. */
const CLOSE = 0.1;

/**
 * Finds the nearest samples inside a search ellipsoid, or on it.
 *
 * Distances are those of a space in which the ellipsoid is a sphere of radius `major`, computed from the
 * difference of the world coordinates, so that large coordinates cost no digits. A sample on the
 * ellipsoid counts as inside in spite of rounding; how much that may be follows from the size of the
 * coordinates and the direction. Of equally distant samples those with the smallest x, then y, then z are
 * taken: a rule that does not hang on how they were listed.
 *
 * What is found does not depend on where was looked before, but the time it takes does.
 */
export class NeighborSearch {
  /** The samples found by the last {@link around}, ascending; valid up to its answer. */
  readonly found: Uint32Array;
  readonly #samples: Samples;
  readonly #space: SphereSpace;
  readonly #fewest: number;
  readonly #origin: readonly [number, number, number];
  readonly #tree: NeighborTree;
  readonly #sectors: SectorSearch | undefined;
  readonly #nearest: NearestSearch;
  readonly #heap: NearestHeap;
  readonly #nearby: NearbySamples;
  /** The point of the last {@link around}, in the space of the sphere. */
  #u = NaN;
  #v = NaN;
  #w = NaN;
  /** Class of the distance of the furthest sample found. */
  #furthest = 0;

  constructor(
    samples: Samples,
    { ellipsoid, max_samples, min_samples, ...limits }: Neighborhood,
    tolerance: CoordinateTolerance,
  ) {
    const most = Math.min(max_samples, samples.size);
    const rules = sectorRules(limits);
    const space = new SphereSpace(ellipsoid, tolerance, rules !== undefined);
    this.#samples = samples;
    this.#fewest = min_samples;
    this.#space = space;
    this.found = new Uint32Array(most);

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
    if (rules) {
      this.#sectors = new SectorSearch(samples, space, tolerance, this.#tree, rules, most);
    }
    this.#nearest = new NearestSearch(samples, space, tolerance, this.#tree);
    this.#heap = new NearestHeap(most);
    this.#nearby = new NearbySamples(samples, space, tolerance, this.#nearest, most);
  }

  /**
   * Looks around a point.
   * @returns how many samples {@link found} holds: 0, or `min_samples` to `max_samples`
   */
  around(x: number, y: number, z: number): number {
    const [u, v, w] = this.#toLocal(x, y, z);
    const step = lengthOf(u - this.#u, v - this.#v, w - this.#w);
    [this.#u, this.#v, this.#w] = [u, v, w];
    let count: number;
    if (this.#sectors) {
      count = this.#sectors.find(x, y, z, [u, v, w], this.found);
      this.#furthest = this.#sectors.furthest;
      sortAscending(this.found, count);
    } else count = this.#findNearest(x, y, z, step);
    return count < this.#fewest ? 0 : count;
  }

  /** Distance from a sample to a point in the space of the sphere: `major` on the ellipsoid. */
  anisotropicDistance(sample: number, x: number, y: number, z: number): number {
    const { x: xs, y: ys, z: zs } = this.#samples;
    return this.#space.lengthOf(xs[sample]! - x, ys[sample]! - y, zs[sample]! - z);
  }

  /**
   * How many samples inside the ellipsoid were not taken though they are as far as the furthest that was.
   * @param count the answer of the last {@link around}, of the same point
   */
  equallyFar(count: number, x: number, y: number, z: number): number {
    const { radius, slack } = this.#space;
    const isNear = (distance: number): boolean => distance <= radius + slack;
    let there = 0;
    const stack: [node: number, from: number, to: number][] = [[0, 0, this.#tree.size]];
    for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
      const [node, from, to] = top;
      const least = this.#space.atLeast(this.#tree.distanceTo(node, this.#u, this.#v, this.#w));
      if (!isNear(least) || this.#space.tie(least) > this.#furthest) continue;
      if (!this.#tree.isLeaf(node, from, to)) {
        const middle = (from + to) >>> 1;
        stack.push([2 * node + 1, from, middle], [2 * node + 2, middle, to]);
        continue;
      }
      for (let k = from; k < to; k++) {
        const sample = this.#tree.order[k]!;
        const distance = this.anisotropicDistance(sample, x, y, z);
        if (isNear(distance) && this.#space.tie(distance) === this.#furthest) there++;
      }
    }
    for (let i = 0; i < count; i++) {
      const distance = this.anisotropicDistance(this.found[i]!, x, y, z);
      if (this.#space.tie(distance) === this.#furthest) there--;
    }
    return there;
  }

  /** @param step the way from the point before */
  #findNearest(x: number, y: number, z: number, step: number): number {
    const [u, v, w] = [this.#u, this.#v, this.#w];
    const nearby = this.#nearby;
    const size = this.#furthest * this.#space.tieWidth;
    let count =
      nearby.reachAt(u, v, w) > size * (1 - CLOSE) ? nearby.take(x, y, z, u, v, w, this.found) : -1;
    if (count < 0 && step < CLOSE * size) {
      nearby.gather(x, y, z, u, v, w);
      count = nearby.take(x, y, z, u, v, w, this.found);
    }
    if (count >= 0) {
      this.#furthest = nearby.furthest;
      return count;
    }
    const heap = this.#heap;
    this.#nearest.fill(heap, this.#space.radius, x, y, z, u, v, w);
    count = heap.count;
    for (let i = 0; i < count; i++) this.found[i] = heap.members[i]!;
    sortAscending(this.found, count);
    this.#furthest = heap.distances[0]!;
    return count;
  }

  /** Into the space of the sphere, from a sample: only for boxes, which have slack. */
  #toLocal(x: number, y: number, z: number): [number, number, number] {
    return this.#space.turned(x - this.#origin[0], y - this.#origin[1], z - this.#origin[2]);
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
