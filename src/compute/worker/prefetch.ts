/** Jobs are claimed ahead for about this long. */
const AHEAD_MS = 50;
/** Never more than this many, however short they are. */
const MAX_AHEAD = 500;
/** How much of the estimate each shorter run changes. */
const WEIGHT = 0.1;

/**
 * How many jobs to claim beyond the free slots, so that slots do not wait for the database between
 * short jobs. Only short jobs are claimed ahead, so none waits here for long.
 */
export class Prefetch {
  /** Estimated milliseconds of one run: rises at once, falls slowly, so that one long job is enough. */
  private runMs = Number.POSITIVE_INFINITY;

  /** @param slots how many jobs run at once */
  constructor(private readonly slots: number) {}

  /** Learns from a run that ended. */
  note(ms: number): void {
    this.runMs =
      this.runMs === Number.POSITIVE_INFINITY || ms > this.runMs
        ? ms
        : this.runMs + (ms - this.runMs) * WEIGHT;
  }

  /** 0–500 */
  get ahead(): number {
    return Math.min(MAX_AHEAD, Math.floor((this.slots * AHEAD_MS) / Math.max(this.runMs, 0.01)));
  }
}
