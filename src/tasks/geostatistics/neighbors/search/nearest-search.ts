import type { CoordinateTolerance } from '../../coordinate-tolerance.js';
import { SMALLEST_SQUARE } from '../../length.js';
import type { Samples } from '../../samples/sample-set.js';
import { NearestHeap } from './nearest-heap.js';
import { LEAF, type NeighborTree } from './neighbor-tree.js';
import { HIT, type SphereSpace } from './sphere-space.js';

/** More than what rounding does to the bounds below, which are only to be on the safe side. */
const ABOVE = 1 + 1e-11;
/** Nodes that wait on the way down a tree are at most one a level: enough for 2⁶⁴ samples. */
const LEVELS = 64;

/**
 * The nearest samples in a tree, in flat arrays and without allocating: most are told from their squared
 * distance alone to be too far, and only the others get a class.
 */
export class NearestSearch {
  readonly #space: SphereSpace;
  readonly #tolerance: CoordinateTolerance;
  readonly #tree: NeighborTree;
  /** The samples in the order of the tree. */
  readonly #x: Float64Array;
  readonly #y: Float64Array;
  readonly #z: Float64Array;
  readonly #waiting = new Int32Array(3 * LEVELS);
  readonly #waitingSquares = new Float64Array(LEVELS);
  /** Squared distances beyond which no sample, and no box, has anything to add now. */
  #far = 0;
  #boxFar = 0;
  /** Squared distance up to which a box has something to add for certain, if it is in reach at all. */
  #boxNear = 0;

  constructor(
    samples: Samples,
    space: SphereSpace,
    tolerance: CoordinateTolerance,
    tree: NeighborTree,
  ) {
    this.#space = space;
    this.#tolerance = tolerance;
    this.#tree = tree;
    const inOrder = (axis: Float64Array) =>
      Float64Array.from(tree.order, (sample) => axis[sample]!);
    [this.#x, this.#y, this.#z] = [inOrder(samples.x), inOrder(samples.y), inOrder(samples.z)];
  }

  /**
   * Fills a heap with the nearest samples, by class and number.
   * @param radius distance in the space of the sphere beyond which samples do not count; Infinity for none
   * @param u @param v @param w the point in the space of the sphere, as the tree has it
   */
  fill(
    heap: NearestHeap,
    radius: number,
    x: number,
    y: number,
    z: number,
    u: number,
    v: number,
    w: number,
  ): void {
    heap.clear();
    this.#tighten(heap, radius);
    const tree = this.#tree;
    const { boxes } = tree;
    const waiting = this.#waiting;
    const squares = this.#waitingSquares;
    waiting[0] = 0;
    waiting[1] = 0;
    waiting[2] = tree.size;
    squares[0] = squareTo(boxes, 0, u, v, w);
    let left = 1;
    while (left > 0) {
      left--;
      let square = squares[left]!;
      let node = waiting[3 * left]!;
      let from = waiting[3 * left + 1]!;
      let to = waiting[3 * left + 2]!;
      while (this.#mayHold(heap, radius, square, node)) {
        if (tree.isLeaf(node, from, to)) {
          this.#look(heap, radius, from, to, x, y, z);
          break;
        }
        const middle = (from + to) >>> 1;
        const first = 2 * node + 1;
        const toFirst = squareTo(boxes, 6 * first, u, v, w);
        const toSecond = squareTo(boxes, 6 * first + 6, u, v, w);
        const firstIsNearer =
          toFirst < toSecond ||
          (toFirst === toSecond && tree.first[first]! < tree.first[first + 1]!);
        // The nearer one is gone into, the other waits.
        if (firstIsNearer) {
          waiting[3 * left] = first + 1;
          waiting[3 * left + 1] = middle;
          waiting[3 * left + 2] = to;
          squares[left++] = toSecond;
          node = first;
          to = middle;
          square = toFirst;
        } else {
          waiting[3 * left] = first;
          waiting[3 * left + 1] = from;
          waiting[3 * left + 2] = middle;
          squares[left++] = toFirst;
          node = first + 1;
          from = middle;
          square = toSecond;
        }
      }
    }
  }

  #mayHold(heap: NearestHeap, radius: number, square: number, node: number): boolean {
    if (square > this.#boxFar) return false;
    if (square < this.#boxNear) return true;
    const space = this.#space;
    const distance = space.atLeast(Math.sqrt(square));
    if (distance > radius + space.slack) return false;
    const tie = distance <= space.furthestHit ? HIT : space.tie(distance);
    return heap.wouldTake(tie, this.#tree.first[node]!);
  }

  /** Computes the squared distances from what the heap holds: its furthest class bounds all others. */
  #tighten(heap: NearestHeap, radius: number): void {
    const { slack, tieWidth, furthestHit } = this.#space;
    const isFull = heap.count === heap.members.length;
    const furthest = isFull ? heap.distances[0]! : Infinity;
    const far = Math.max(Math.min((furthest + 1) * tieWidth, radius + slack), furthestHit) * ABOVE;
    const boxFar = (far + slack) * ABOVE;
    this.#far = far * far;
    this.#boxFar = boxFar * boxFar;
    const near = Math.max(0, Math.min((furthest - 1) * tieWidth, radius)) / ABOVE;
    this.#boxNear = near * near;
  }

  #look(
    heap: NearestHeap,
    radius: number,
    from: number,
    to: number,
    x: number,
    y: number,
    z: number,
  ): void {
    const [xs, ys, zs] = [this.#x, this.#y, this.#z];
    const space = this.#space;
    const { 0: m0, 1: m1, 2: m2, 3: m3, 4: m4, 5: m5, 6: m6, 7: m7, 8: m8 } = space.matrix;
    for (let k = from; k < to; k++) {
      const dx = xs[k]! - x;
      const dy = ys[k]! - y;
      const dz = zs[k]! - z;
      const u = m0 * dx + m1 * dy + m2 * dz;
      const v = m3 * dx + m4 * dy + m5 * dz;
      const w = m6 * dx + m7 * dy + m8 * dz;
      const square = u * u + v * v + w * w;
      if (square <= this.#far) {
        const sample = this.#tree.order[k]!;
        const distance = square > SMALLEST_SQUARE ? Math.sqrt(square) : Math.hypot(u, v, w);
        const isHit = this.#tolerance.isNone(dx, dy, dz);
        const tie = isHit ? HIT : space.tie(distance);
        if (
          (isHit || distance <= radius || space.isInside(distance, u, v, w)) &&
          heap.wouldTake(tie, sample)
        ) {
          heap.add(tie, sample);
          if (heap.count === heap.members.length) this.#tighten(heap, radius);
          continue;
        }
      }
      // All at one place: the others are as far, and behind in the order.
      if (to - from > LEAF) return;
    }
  }
}

/** Squared distance from a place to a box; 0 inside. */
function squareTo(boxes: Float64Array, at: number, u: number, v: number, w: number): number {
  const du = Math.max(boxes[at]! - u, u - boxes[at + 3]!, 0);
  const dv = Math.max(boxes[at + 1]! - v, v - boxes[at + 4]!, 0);
  const dw = Math.max(boxes[at + 2]! - w, w - boxes[at + 5]!, 0);
  return du * du + dv * dv + dw * dw;
}
