/** The shortest and the longest postponement, in seconds. */
const SHORTEST = 1;
const LONGEST = 86_400;

/**
 * Throw this from a task's `run` when it cannot run now but can later (a license is taken, a file has
 * not arrived): the job waits and is started again, with nothing counted against it.
 */
export class RetryLater extends Error {
  override readonly name = 'RetryLater';
  /** 1 to 86,400; what was asked for is clamped to it. */
  readonly afterSeconds: number;

  /** @throws RangeError when it is not a number */
  constructor(afterSeconds: number) {
    super(`Asks to be run again in ${afterSeconds} s.`);
    if (Number.isNaN(afterSeconds)) {
      throw new RangeError('RetryLater needs a number of seconds.');
    }
    this.afterSeconds = Math.min(LONGEST, Math.max(SHORTEST, afterSeconds));
  }
}
