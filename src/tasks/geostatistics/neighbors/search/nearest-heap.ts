/**
 * Keeps the nearest of all samples that it is shown: a heap with the last of them on top. Of equally
 * distant samples those with the smaller number come first. Nothing is allocated after the constructor.
 */
export class NearestHeap {
  count = 0;
  /** The samples that are kept, in no order; valid up to `count`. */
  readonly members: Uint32Array;
  /** Their distances; the first is the largest. */
  readonly distances: Float64Array;

  /** @param most samples to keep */
  constructor(most: number) {
    this.members = new Uint32Array(most);
    this.distances = new Float64Array(most);
  }

  clear(): void {
    this.count = 0;
  }

  /** Whether a sample of this distance would be among the nearest now. */
  wouldTake(distance: number, sample: number): boolean {
    if (this.count < this.members.length) return true;
    const furthest = this.distances[0]!;
    return distance < furthest || (distance === furthest && sample < this.members[0]!);
  }

  /** Takes a sample in; the furthest goes when there is no room. */
  add(distance: number, sample: number): void {
    if (this.count < this.members.length) this.#rise(this.count++, distance, sample);
    else this.#sink(distance, sample);
  }

  #rise(place: number, distance: number, sample: number): void {
    const { members } = this;
    const distances = this.distances;
    while (place > 0) {
      const parent = (place - 1) >>> 1;
      if (!this.#isAfter(distance, sample, parent)) break;
      distances[place] = distances[parent]!;
      members[place] = members[parent]!;
      place = parent;
    }
    distances[place] = distance;
    members[place] = sample;
  }

  /** From the top down, in the place of what was there. */
  #sink(distance: number, sample: number): void {
    const { members, count } = this;
    const distances = this.distances;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= count) break;
      if (child + 1 < count && this.#isAfter(distances[child + 1]!, members[child + 1]!, child)) {
        child++;
      }
      if (this.#isAfter(distance, sample, child)) break;
      distances[place] = distances[child]!;
      members[place] = members[child]!;
      place = child;
    }
    distances[place] = distance;
    members[place] = sample;
  }

  /** Whether a sample comes behind the one at a place of the heap. */
  #isAfter(distance: number, sample: number, place: number): boolean {
    const other = this.distances[place]!;
    if (distance !== other) return distance > other;
    return sample > this.members[place]!;
  }
}
