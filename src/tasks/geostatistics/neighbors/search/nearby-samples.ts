import type { CoordinateTolerance } from '../../coordinate-tolerance.js';
import { lengthOf, SMALLEST_SQUARE } from '../../length.js';
import type { Samples } from '../../samples/sample-set.js';
import { NearestHeap } from './nearest-heap.js';
import type { NearestSearch } from './nearest-search.js';
import { HIT, type SphereSpace } from './sphere-space.js';

/** So many more samples than one point takes, and this times as many, serve the points around it. */
const MORE = 8;
const TIMES = 2;
/** Steps from the border of one point to that of the next, before sorting is quicker. */
const ROUNDS = 8;

/**
 * More samples around one point, the centre, than it takes itself: a point close by finds its own among
 * them, without the tree, as long as no other sample can be as near. How far that goes follows from the
 * triangle inequality: a sample that is not among them is at least `reach` from the centre, and so at
 * least `reach` less the way from the centre from any other point.
 */
export class NearbySamples {
  /** Class of the distance of the furthest sample taken last. */
  furthest = 0;
  readonly #samples: Samples;
  readonly #space: SphereSpace;
  readonly #tolerance: CoordinateTolerance;
  readonly #search: NearestSearch;
  readonly #heap: NearestHeap;
  /** The samples, ascending. */
  readonly #members: Uint32Array;
  readonly #x: Float64Array;
  readonly #y: Float64Array;
  readonly #z: Float64Array;
  readonly #squares: Float64Array;
  readonly #ties: Float64Array;
  readonly #selection: Float64Array;
  #reach = -Infinity;
  /** Squared distance of the last sample that was taken, or of the one that may be. */
  #border = 0;
  #u = 0;
  #v = 0;
  #w = 0;

  /** @param most samples of one point */
  constructor(
    samples: Samples,
    space: SphereSpace,
    tolerance: CoordinateTolerance,
    search: NearestSearch,
    most: number,
  ) {
    this.#samples = samples;
    this.#space = space;
    this.#tolerance = tolerance;
    this.#search = search;
    const room = Math.min(TIMES * most + MORE, samples.size);
    this.#heap = new NearestHeap(room);
    this.#members = new Uint32Array(room);
    const numbers = () => new Float64Array(room);
    [this.#x, this.#y, this.#z] = [numbers(), numbers(), numbers()];
    [this.#squares, this.#ties, this.#selection] = [numbers(), numbers(), numbers()];
  }

  /** How far all samples are known around a point; negative when not even there. */
  reachAt(u: number, v: number, w: number): number {
    return this.#reach - lengthOf(u - this.#u, v - this.#v, w - this.#w);
  }

  /** Makes a point the centre. */
  gather(x: number, y: number, z: number, u: number, v: number, w: number): void {
    const heap = this.#heap;
    // Beyond the ellipsoid as well: what is outside here may be inside near by.
    this.#search.fill(heap, Infinity, x, y, z, u, v, w);
    const { x: xs, y: ys, z: zs, size } = this.#samples;
    const members = this.#members;
    members.set(heap.members);
    members.sort();
    for (let i = 0; i < members.length; i++) {
      const sample = members[i]!;
      this.#x[i] = xs[sample]!;
      this.#y[i] = ys[sample]!;
      this.#z[i] = zs[sample]!;
    }
    const { tieWidth, slack } = this.#space;
    // The others are in the class of the last of these, or behind.
    this.#reach =
      members.length === size
        ? Infinity
        : (heap.distances[0]! - 1) * tieWidth * (1 - 1e-12) - slack;
    [this.#u, this.#v, this.#w] = [u, v, w];
  }

  /**
   * Takes the nearest samples inside the ellipsoid around a point.
   * @param found receives them, ascending
   * @returns how many; −1 when samples that are not at hand may be among them
   */
  take(
    x: number,
    y: number,
    z: number,
    u: number,
    v: number,
    w: number,
    found: Uint32Array,
  ): number {
    const space = this.#space;
    const { tieWidth, radius, slack } = space;
    const reach = this.reachAt(u, v, w) * (1 - 1e-12) - 2 * slack;
    if (!(reach > space.furthestHit)) return -1;
    const most = found.length;
    if (this.#members.length > most) {
      this.#measure(x, y, z);
      if (this.#isClear(most)) {
        this.furthest = space.tie(Math.sqrt(this.#border));
        return (this.furthest + 1) * tieWidth < reach ? this.#takeUpToBorder(found) : -1;
      }
    }
    const inside = this.#classify(x, y, z);
    const furthest = inside === 0 ? -Infinity : this.#tieOf(Math.min(most, inside));
    const isComplete = inside >= most ? (furthest + 1) * tieWidth < reach : radius + slack < reach;
    if (!isComplete) return -1;
    this.furthest = furthest;
    return this.#takeByClass(furthest, found);
  }

  #takeUpToBorder(found: Uint32Array): number {
    const [squares, members, border] = [this.#squares, this.#members, this.#border];
    let count = 0;
    for (let i = 0; i < members.length; i++) {
      if (squares[i]! <= border) found[count++] = members[i]!;
    }
    return count;
  }

  #takeByClass(furthest: number, found: Uint32Array): number {
    const [ties, members, most] = [this.#ties, this.#members, found.length];
    let before = 0;
    for (let i = 0; i < ties.length; i++) if (ties[i]! < furthest) before++;
    // Of the furthest class those that come first, as many as there is room for.
    let room = most - before;
    let count = 0;
    for (let i = 0; i < ties.length; i++) {
      const tie = ties[i]!;
      if (tie < furthest || (tie === furthest && room-- > 0)) found[count++] = members[i]!;
    }
    return count;
  }

  /** Leaves the squared distances of all samples. */
  #measure(x: number, y: number, z: number): void {
    const [xs, ys, zs, squares] = [this.#x, this.#y, this.#z, this.#squares];
    const { 0: m0, 1: m1, 2: m2, 3: m3, 4: m4, 5: m5, 6: m6, 7: m7, 8: m8 } = this.#space.matrix;
    for (let i = 0; i < squares.length; i++) {
      const dx = xs[i]! - x;
      const dy = ys[i]! - y;
      const dz = zs[i]! - z;
      const u = m0 * dx + m1 * dy + m2 * dz;
      const v = m3 * dx + m4 * dy + m5 * dz;
      const w = m6 * dx + m7 * dy + m8 * dz;
      squares[i] = u * u + v * v + w * w;
    }
  }

  /**
   * Looks for the squared distance of the sample that is the last to be taken, from that of the last point on:
   * most often it is one of the next.
   * @returns whether nothing else decides: no other sample is in its class, none of those taken may be
   *   outside the ellipsoid, and the point is on none
   */
  #isClear(most: number): boolean {
    const { radius, furthestHit, tieWidth } = this.#space;
    const squares = this.#squares;
    for (let round = 0; round < ROUNDS; round++) {
      const border = this.#border;
      let nearest = Infinity;
      let before = 0;
      let equal = 0;
      let below = 0;
      let above = Infinity;
      for (let i = 0; i < squares.length; i++) {
        const square = squares[i]!;
        if (square < nearest) nearest = square;
        if (square < border) {
          before++;
          if (square > below) below = square;
        } else if (square === border) equal++;
        else if (square < above) above = square;
      }
      if (before >= most) this.#border = below;
      else if (before + equal < most) this.#border = above;
      else {
        const furthest = Math.sqrt(border);
        return (
          equal === 1 &&
          Math.sqrt(nearest) > 2 * furthestHit &&
          nearest > SMALLEST_SQUARE &&
          furthest < radius * (1 - 1e-12) &&
          furthest - Math.sqrt(below) > 2 * tieWidth &&
          Math.sqrt(above) - furthest > 2 * tieWidth
        );
      }
    }
    return false;
  }

  /** Gives each sample its class; Infinity outside the ellipsoid. @returns how many are inside */
  #classify(x: number, y: number, z: number): number {
    const [xs, ys, zs, ties] = [this.#x, this.#y, this.#z, this.#ties];
    const space = this.#space;
    const { 0: m0, 1: m1, 2: m2, 3: m3, 4: m4, 5: m5, 6: m6, 7: m7, 8: m8 } = space.matrix;
    let inside = 0;
    for (let i = 0; i < ties.length; i++) {
      const dx = xs[i]! - x;
      const dy = ys[i]! - y;
      const dz = zs[i]! - z;
      const u = m0 * dx + m1 * dy + m2 * dz;
      const v = m3 * dx + m4 * dy + m5 * dz;
      const w = m6 * dx + m7 * dy + m8 * dz;
      const square = u * u + v * v + w * w;
      const distance = square > SMALLEST_SQUARE ? Math.sqrt(square) : Math.hypot(u, v, w);
      if (distance <= 2 * space.furthestHit && this.#tolerance.isNone(dx, dy, dz)) ties[i] = HIT;
      else if (distance <= space.radius || space.isInside(distance, u, v, w)) {
        ties[i] = space.tie(distance);
      } else {
        ties[i] = Infinity;
        continue;
      }
      inside++;
    }
    return inside;
  }

  /** The class of the sample that comes at a place when they are counted from 1 (quickselect: Hoare 1961). */
  #tieOf(place: number): number {
    const numbers = this.#selection;
    numbers.set(this.#ties);
    let left = 0;
    let right = numbers.length - 1;
    const wanted = place - 1;
    while (right > left) {
      const pivot = numbers[(left + right) >>> 1]!;
      let i = left - 1;
      let j = right + 1;
      for (;;) {
        do i++;
        while (numbers[i]! < pivot);
        do j--;
        while (numbers[j]! > pivot);
        if (i >= j) break;
        const swapped = numbers[i]!;
        numbers[i] = numbers[j]!;
        numbers[j] = swapped;
      }
      if (wanted <= j) right = j;
      else left = j + 1;
    }
    return numbers[wanted]!;
  }
}
