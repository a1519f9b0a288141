/** Samples in a leaf: looking at a few is quicker than going down further. */
export const LEAF = 8;

/** Places in flat arrays. */
export interface TreePlaces {
  readonly u: Float64Array;
  readonly v: Float64Array;
  readonly w: Float64Array;
}

/**
 * A k-d tree (Bentley 1975; split at the median, as in Friedman, Bentley & Finkel 1977) over places in
 * three dimensions: each node has the box around its places and the smallest of their numbers, so that a
 * search can pass over it when all of it is too far, or as far as what it has and behind in the order.
 *
 * Node i has the children 2i + 1 and 2i + 2. A node whose places are all one is a leaf however many they
 * are, in ascending order: a search can stop at the first that comes too late in the order.
 */
export class NeighborTree {
  readonly size: number;
  /** The places, leaf by leaf. */
  readonly order: Uint32Array;
  /** Least u, v, w and most u, v, w of each node. */
  readonly boxes: Float64Array;
  /** The smallest number of each node. */
  readonly first: Uint32Array;
  readonly #places: TreePlaces;
  /** 1 where all places of a node are one. */
  readonly #onePlace: Uint8Array;

  constructor(places: TreePlaces) {
    this.#places = places;
    this.size = places.u.length;
    this.order = new Uint32Array(this.size).map((_, i) => i);
    const depth = Math.max(0, Math.ceil(Math.log2(this.size / LEAF)));
    const nodes = 2 ** (depth + 1) - 1;
    this.boxes = new Float64Array(6 * nodes);
    this.first = new Uint32Array(nodes);
    this.#onePlace = new Uint8Array(nodes);
    this.#build(0, 0, this.size);
  }

  /** Whether a node, which has the places from `from` to before `to`, has no children. */
  isLeaf(node: number, from: number, to: number): boolean {
    return to - from <= LEAF || this.#onePlace[node] === 1;
  }

  /** Distance from a place to the box of a node; 0 inside. */
  distanceTo(node: number, u: number, v: number, w: number): number {
    const { boxes } = this;
    const at = 6 * node;
    const du = Math.max(boxes[at]! - u, u - boxes[at + 3]!, 0);
    const dv = Math.max(boxes[at + 1]! - v, v - boxes[at + 4]!, 0);
    const dw = Math.max(boxes[at + 2]! - w, w - boxes[at + 5]!, 0);
    return Math.sqrt(du * du + dv * dv + dw * dw);
  }

  #build(node: number, from: number, to: number): void {
    const axis = this.#measure(node, from, to);
    if (this.isLeaf(node, from, to)) {
      if (to - from > LEAF) this.order.subarray(from, to).sort();
      return;
    }
    const middle = (from + to) >>> 1;
    select(this.order, axis, from, to - 1, middle);
    this.#build(2 * node + 1, from, middle);
    this.#build(2 * node + 2, middle, to);
  }

  /** Notes the box and the smallest number of a node. @returns the coordinates that spread most */
  #measure(node: number, from: number, to: number): Float64Array {
    const { u, v, w } = this.#places;
    let widest = u;
    let extent = -1;
    [u, v, w].forEach((axis, i) => {
      let [least, most] = [Infinity, -Infinity];
      for (let k = from; k < to; k++) {
        const place = axis[this.order[k]!]!;
        if (place < least) least = place;
        if (place > most) most = place;
      }
      this.boxes[6 * node + i] = least;
      this.boxes[6 * node + 3 + i] = most;
      if (most - least > extent) [widest, extent] = [axis, most - least];
    });
    let first = Infinity;
    for (let k = from; k < to; k++) first = Math.min(first, this.order[k]!);
    this.first[node] = first;
    this.#onePlace[node] = extent === 0 ? 1 : 0;
    return widest;
  }
}

/**
 * Partly sorts `order` from `left` to `right`, both included: what lies before `middle` is not larger,
 * what lies behind not smaller (quickselect: Hoare 1961). Stops at equal ones, so ties cost nothing.
 */
function select(order: Uint32Array, by: Float64Array, left: number, right: number, middle: number) {
  while (right > left) {
    const pivot = by[order[(left + right) >>> 1]!]!;
    let [i, j] = [left - 1, right + 1];
    for (;;) {
      do i++;
      while (by[order[i]!]! < pivot);
      do j--;
      while (by[order[j]!]! > pivot);
      if (i >= j) break;
      const swapped = order[i]!;
      order[i] = order[j]!;
      order[j] = swapped;
    }
    if (middle <= j) right = j;
    else left = j + 1;
  }
}
