/** Points dealt at once, at most: a thread meets neighbours of points that it has just done. */
const MOST = 512;
/** Rounds of dealing: towards the end no thread waits long for the last one. */
const ROUNDS = 256;

/** Places in shared memory. */
const NEXT = 0;
const DONE = 1;
const ALLOWED = 2;
const STOPPED = 3;

/**
 * Deals points, by their place in an order, to the threads of a job: in blocks, to whoever asks. Threads share
 * it by its memory.
 */
export class PointDealer {
  readonly total: number;
  readonly memory: Int32Array<SharedArrayBuffer>;
  readonly #block: number;

  /** @param memory of the dealer in another thread */
  constructor(total: number, memory = new Int32Array(new SharedArrayBuffer(16))) {
    this.total = total;
    this.memory = memory;
    this.#block = Math.max(1, Math.min(MOST, Math.ceil(total / ROUNDS)));
  }

  /** The next block; undefined when there is none, or the work has been stopped. */
  deal(): { readonly from: number; readonly to: number } | undefined {
    if (this.isStopped) return undefined;
    const from = Atomics.add(this.memory, NEXT, this.#block);
    return from < this.total ? { from, to: Math.min(from + this.#block, this.total) } : undefined;
  }

  get isOver(): boolean {
    return this.isStopped || Atomics.load(this.memory, NEXT) >= this.total;
  }

  /** How many points are done, by all threads. */
  get done(): number {
    return Atomics.load(this.memory, DONE);
  }

  noteDone(points: number): void {
    Atomics.add(this.memory, DONE, points);
  }

  get isStopped(): boolean {
    return Atomics.load(this.memory, STOPPED) === 1;
  }

  /** Nobody gets a point any more; who has some lets them be. */
  stop(): void {
    Atomics.store(this.memory, STOPPED, 1);
    Atomics.notify(this.memory, ALLOWED);
  }

  /** Says how many threads may work. */
  allow(threads: number): void {
    if (Atomics.exchange(this.memory, ALLOWED, threads) !== threads || this.isOver) {
      Atomics.notify(this.memory, ALLOWED);
    }
  }

  /** Rests, in a helper, while fewer threads may work; at most a moment, since the end is not told to all. */
  waitToBeAllowed(thread: number): void {
    while (!this.isOver) {
      const allowed = Atomics.load(this.memory, ALLOWED);
      if (thread < allowed) return;
      Atomics.wait(this.memory, ALLOWED, allowed, 50);
    }
  }
}
