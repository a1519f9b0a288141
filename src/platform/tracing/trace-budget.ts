/**
 * How many requests and attempts may be recorded: so many a second, and a second's worth at once. It is asked before
 * anything is made for a trace, so that what is not recorded costs next to nothing.
 */
export class TraceBudget {
  private left: number;
  private filledAt = performance.now();

  /** @param perSecond 0: none is recorded */
  constructor(private readonly perSecond: number) {
    this.left = perSecond;
  }

  /** Takes one. @returns whether there was one */
  take(): boolean {
    const now = performance.now();
    const come = ((now - this.filledAt) / 1_000) * this.perSecond;
    this.left = Math.min(this.perSecond, this.left + come);
    this.filledAt = now;
    if (this.left < 1) {
      return false;
    }
    this.left -= 1;
    return true;
  }
}
