import type { CoordinateTolerance } from '../../coordinate-tolerance.js';
import { lengthOf, SMALLEST_SQUARE } from '../../length.js';
import type { SampleSet } from '../../samples/sample-set.js';
import { NearestHeap } from './nearest-heap.js';
import type { NearestSearch } from './nearest-search.js';
import { HIT, type SphereSpace } from './sphere-space.js';

/** So many more samples than one point takes, and this times as many, serve the points around it. */
const MORE = 8;
const TIMES = 2;

/**
 * More samples around one point, the centre, than it takes itself: a point close by finds its own among
 * them, without the tree, as long as no other sample can be as near. How far that goes follows from the
 * triangle inequality: a sample that is not among them is at least `reach` from the centre, and so at
 * least `reach` less the way from the centre from any other point.
 */
export class NearbySamples {
  /** Class of the distance of the furthest sample taken last. */
  furthest = 0;
  readonly #samples: SampleSet;
  readonly #space: SphereSpace;
  readonly #tolerance: CoordinateTolerance;
  readonly #search: NearestSearch;
  readonly #heap: NearestHeap;
  /** The samples, ascending. */
  readonly #members: Uint32Array;
  readonly #x: Float64Array;
  readonly #y: Float64Array;
  readonly #z: Float64Array;
  readonly #ties: Float64Array;
  readonly #selection: Float64Array;
  #reach = -Infinity;
  #u = 0;
  #v = 0;
  #w = 0;

  /** @param most samples of one point */
  constructor(
    samples: SampleSet,
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
    [this.#ties, this.#selection] = [numbers(), numbers()];
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
    const inside = this.#classify(x, y, z);
    const ties = this.#ties;
    const members = this.#members;
    const most = found.length;
    let furthest = -Infinity;
    if (inside > most) furthest = this.#tieOf(most);
    else
      for (let i = 0; i < ties.length; i++)
        if (ties[i]! < Infinity) furthest = Math.max(furthest, ties[i]!);
    const isComplete = inside >= most ? (furthest + 1) * tieWidth < reach : radius + slack < reach;
    if (!isComplete) return -1;
    this.furthest = furthest;
    let before = 0;
    for (let i = 0; i < ties.length; i++) if (ties[i]! < furthest) before++;
    // Of the furthest class those that come first, as many as there is room for.
    let room = most - before;
    let count = 0;
    for (let i = 0; i < ties.length; i++) {
      const tie = ties[i]!;
      if (tie < furthest || (tie === furthest && tie < Infinity && room-- > 0))
        found[count++] = members[i]!;
    }
    return count;
  }

  /** Gives each sample its class; Infinity outside the ellipsoid. @returns how many are inside */
  #classify(x: number, y: number, z: number): number {
    const [xs, ys, zs, ties] = [this.#x, this.#y, this.#z, this.#ties];
    const space = this.#space;
    const [m0, m1, m2, m3, m4, m5, m6, m7, m8] = space.matrix;
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
