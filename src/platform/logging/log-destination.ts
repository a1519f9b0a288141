import { writeSync } from 'node:fs';

const STANDARD_OUTPUT = 1;
/** What reads the log and does not keep up holds up the process for so long, once; then lines are lost. */
const PATIENCE_MS = 200;
const RETRY_MS = 5;

/** How many lines could not be written since the process began: their disk is full, or their reader gone. */
export let linesLost = 0;

/**
 * Standard output, for the log. A line that cannot be written is lost, and counted, and the next that can says
 * so: jobs and clients matter more than what is said of them. The library's own destination ends the process
 * when the disk is full, and holds that up for as long as it is.
 */
export class LogDestination {
  private lostInARow = 0;
  /** What was begun and not ended of a line. */
  private torn = false;

  /** @param fd where to, for tests */
  constructor(private readonly fd = STANDARD_OUTPUT) {}

  write(line: string): void {
    const before = this.lostInARow === 0 ? '' : gapOf(this.lostInARow);
    const bytes = Buffer.from((this.torn ? '\n' : '') + before + line);
    let written = 0;
    const deadline = performance.now() + (this.lostInARow === 0 ? PATIENCE_MS : 0);
    while (written < bytes.length) {
      try {
        written += writeSync(this.fd, bytes, written);
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code !== 'EAGAIN' || performance.now() > deadline) {
          this.torn ||= written > 0;
          this.lostInARow += 1;
          linesLost += 1;
          return;
        }
        // A pipe whose reader is slow.
        Atomics.wait(PAUSE, 0, 0, RETRY_MS);
      }
    }
    this.lostInARow = 0;
    this.torn = false;
  }
}

const PAUSE = new Int32Array(new SharedArrayBuffer(4));
const WARN = 40;

const gapOf = (lost: number): string =>
  `${JSON.stringify({ level: WARN, time: Date.now(), pid: process.pid, lost, msg: 'lines of the log before this could not be written' })}\n`;
