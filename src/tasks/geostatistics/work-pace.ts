import type { TaskContext } from '../../compute/task.js';

/** Often enough to stop well within a second of a cancel, rarely enough to cost nothing. */
const PAUSE_MS = 50;

/** Tells how far a long loop is, and so also stops it when the job is canceled. */
export class WorkPace {
  readonly #context: TaskContext;
  readonly #message: (done: number) => string;
  readonly #started = performance.now();
  #told = -Infinity;

  constructor(context: TaskContext, message: (done: number) => string) {
    this.#context = context;
    this.#message = message;
  }

  /** Seconds since the start, to the millisecond. */
  get seconds(): number {
    return Math.round(performance.now() - this.#started) / 1000;
  }

  /**
   * Call it in every turn of the loop: it looks at the clock and speaks every 50 ms.
   * @throws the signal's reason when the job is canceled
   */
  tell(done: number, total: number): void {
    const now = performance.now();
    if (now - this.#told < PAUSE_MS && done < total) return;
    this.#told = now;
    this.#context.progress((100 * done) / total, this.#message(done));
  }
}
