import type { OutputStream } from '../surroundings.js';

/** Environment variables: `NO_COLOR`, `TERM` and `CI` decide how to draw. */
type Environment = Readonly<Record<string, string | undefined>>;

const WIDTH = 28;
const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/**
 * Shows how far something is. On a terminal one line is redrawn; anywhere else (a log, a dumb
 * terminal, a screen reader reading line by line) a plain line is written when there is news.
 */
export class ProgressBar {
  private readonly started: number;
  private readonly live: boolean;
  private last = '';
  private lastAt = -Infinity;

  constructor(
    private readonly output: OutputStream,
    private readonly env: Environment,
    private readonly now: () => number = Date.now,
    /** Milliseconds between plain lines that tell a percent: a log is to stay readable. */
    private readonly plainEveryMs = 0,
  ) {
    this.started = now();
    this.live = output.isTTY === true && env.TERM !== 'dumb' && !env.CI;
  }

  /**
   * @param percent 0–100, or null while unknown
   * @param message one line
   */
  update(percent: number | null, message: string): void {
    if (this.live) {
      this.draw(percent, message);
      return;
    }
    const news = percent === null ? `${message} …` : `${String(percent).padStart(3)}%  ${message}`;
    const isTooSoon = percent !== null && this.now() - this.lastAt < this.plainEveryMs;
    if (news === this.last || isTooSoon) return;
    this.last = news;
    this.lastAt = percent === null ? this.lastAt : this.now();
    this.output.write(`${news}\n`);
  }

  /** Replaces the line by a last one, which stays; without a text the line just goes. */
  finish(text = ''): void {
    if (this.live) this.output.write('\r\x1b[2K');
    if (text !== '') this.output.write(`${text} (${this.elapsed()})\n`);
  }

  private draw(percent: number | null, message: string): void {
    const clock = this.elapsed();
    const head = percent === null ? '' : `${bar(percent)} ${String(percent).padStart(3)}%  `;
    const tail = percent === null ? ` … ${clock}` : `  ${clock}`;
    // One column stays free: terminals differ in when they wrap.
    const room = Math.max(0, (this.output.columns || 80) - 1 - head.length - tail.length);
    const fitting = message.length > room ? `${message.slice(0, Math.max(0, room - 1))}…` : message;
    const shown = head === '' ? '' : this.paint(head);
    this.output.write(`\r\x1b[2K${shown}${room === 0 ? '' : fitting}${tail}`);
  }

  private paint(text: string): string {
    return !this.env.NO_COLOR ? `\x1b[36m${text}\x1b[39m` : text;
  }

  private elapsed(): string {
    return `${((this.now() - this.started) / 1000).toFixed(1)} s`;
  }
}

/** `WIDTH` characters, filled to an eighth of a character. */
function bar(percent: number): string {
  const eighths = Math.round((Math.min(100, Math.max(0, percent)) / 100) * WIDTH * 8);
  const filled = '█'.repeat(Math.floor(eighths / 8)) + EIGHTHS[eighths % 8]!;
  return filled.padEnd(WIDTH, '░');
}
