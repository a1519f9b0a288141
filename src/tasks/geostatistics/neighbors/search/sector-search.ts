import type { CoordinateTolerance } from '../../coordinate-tolerance.js';
import { lengthOf } from '../../length.js';
import type { Samples } from '../../samples/sample-set.js';
import { NearestHeap } from './nearest-heap.js';
import { LEAF, type NeighborTree } from './neighbor-tree.js';
import { hasEnoughSectors, OCTANTS, quadrantOf, type SectorRules } from '../sector-limits.js';
import { HIT, type SphereSpace } from './sphere-space.js';

/** The nearest samples that limits by direction allow: kept octant by octant, and then chosen from. */
export class SectorSearch {
  /** Class of the distance of the furthest sample found. */
  furthest = 0;
  readonly #samples: Samples;
  readonly #space: SphereSpace;
  readonly #tolerance: CoordinateTolerance;
  readonly #tree: NeighborTree;
  readonly #rules: SectorRules;
  readonly #nearest: readonly NearestHeap[];
  #place: readonly [u: number, v: number, w: number] = [0, 0, 0];

  /** @param most samples of one point */
  constructor(
    samples: Samples,
    space: SphereSpace,
    tolerance: CoordinateTolerance,
    tree: NeighborTree,
    rules: SectorRules,
    most: number,
  ) {
    this.#samples = samples;
    this.#space = space;
    this.#tolerance = tolerance;
    this.#tree = tree;
    this.#rules = rules;
    this.#nearest = Array.from(
      { length: OCTANTS },
      () => new NearestHeap(Math.min(most, rules.perOctant, rules.perQuadrant)),
    );
  }

  /**
   * @param place the point in the space of the sphere, as the tree has it
   * @param found receives the samples, in no order
   * @returns how many
   */
  find(
    x: number,
    y: number,
    z: number,
    place: readonly [u: number, v: number, w: number],
    found: Uint32Array,
  ): number {
    for (const nearest of this.#nearest) nearest.clear();
    this.#place = place;
    this.#visit(0, 0, this.#tree.size, x, y, z);
    return this.#take(found);
  }

  /** The nearest that the rules leave: by octant they are kept already. */
  #take(found: Uint32Array): number {
    const rules = this.#rules;
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
      if (count === found.length) break;
      if (taken[quadrant]! >= rules.perQuadrant) continue;
      taken[quadrant]!++;
      found[count++] = sample;
      this.furthest = distance;
    }
    return count;
  }

  /** Looks at a node of the tree, the nearer child first. */
  #visit(node: number, from: number, to: number, x: number, y: number, z: number): void {
    const tree = this.#tree;
    if (tree.isLeaf(node, from, to)) {
      this.#look(from, to, x, y, z);
      return;
    }
    const [u, v, w] = this.#place;
    const middle = (from + to) >>> 1;
    const [left, right] = [2 * node + 1, 2 * node + 2];
    const toLeft = this.#space.atLeast(tree.distanceTo(left, u, v, w));
    const toRight = this.#space.atLeast(tree.distanceTo(right, u, v, w));
    const leftFirst =
      toLeft < toRight || (toLeft === toRight && tree.first[left]! < tree.first[right]!);
    if (leftFirst && this.#mayHold(toLeft, left)) this.#visit(left, from, middle, x, y, z);
    if (this.#mayHold(toRight, right)) this.#visit(right, middle, to, x, y, z);
    if (!leftFirst && this.#mayHold(toLeft, left)) this.#visit(left, from, middle, x, y, z);
  }

  #mayHold(distance: number, node: number): boolean {
    const space = this.#space;
    if (distance > space.radius + space.slack) return false;
    const tie = distance <= space.furthestHit ? HIT : space.tie(distance);
    const first = this.#tree.first[node]!;
    return this.#nearest.some(
      (nearest, octant) => nearest.wouldTake(tie, first) && this.#reaches(node, octant),
    );
  }

  /** Whether the box of a node may have a part in an octant around the point. */
  #reaches(node: number, octant: number): boolean {
    const { boxes } = this.#tree;
    const { slack } = this.#space;
    for (const [axis, place] of this.#place.entries()) {
      const isNegative = (octant >> axis) & 1;
      if (
        isNegative
          ? boxes[6 * node + axis]! > place + slack
          : boxes[6 * node + 3 + axis]! < place - slack
      ) {
        return false;
      }
    }
    return true;
  }

  /** The heap for what lies in this direction. */
  #heapOf(u: number, v: number, w: number): NearestHeap {
    const [a, b, c] = this.#space.signs;
    return this.#nearest[(u < -a ? 1 : 0) | (v < -b ? 2 : 0) | (w < -c ? 4 : 0)]!;
  }

  #look(from: number, to: number, x: number, y: number, z: number): void {
    const { x: xs, y: ys, z: zs } = this.#samples;
    const space = this.#space;
    for (let k = from; k < to; k++) {
      const sample = this.#tree.order[k]!;
      const [dx, dy, dz] = [xs[sample]! - x, ys[sample]! - y, zs[sample]! - z];
      const [u, v, w] = space.turned(dx, dy, dz);
      const distance = lengthOf(u, v, w);
      const isHit = this.#tolerance.isNone(dx, dy, dz);
      const tie = isHit ? HIT : space.tie(distance);
      const isInside = isHit || space.isInside(distance, u, v, w);
      const nearest = this.#heapOf(u, v, w);
      if (isInside && nearest.wouldTake(tie, sample)) nearest.add(tie, sample);
      // All at one place: the others are as far, and behind in the order.
      else if (to - from > LEAF) return;
    }
  }
}
