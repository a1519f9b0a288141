import type { Readable } from 'node:stream';

const NEWLINE = 0x0a;

/** Cuts bytes into lines; holds no more than one line of the longest allowed length. */
export class LineCutter {
  private held: Buffer[] = [];
  private heldBytes = 0;

  /** @param longest most bytes of a line, without its end */
  constructor(
    private readonly longest: number,
    private readonly onLine: (line: Buffer, isWhole: boolean) => void,
    private readonly onTooLong: () => void,
  ) {}

  /** @returns how many lines ended */
  push(chunk: Buffer): number {
    let lines = 0;
    let from = 0;
    for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, from)) {
      this.hold(chunk.subarray(from, at));
      this.release(true);
      lines += 1;
      from = at + 1;
    }
    this.hold(chunk.subarray(from));
    return lines;
  }

  /** What came after the last end of a line is a line, too, though perhaps not the whole of it. */
  end(): void {
    if (this.heldBytes > 0) {
      this.release(false);
    }
  }

  /** What has come of a line that has not ended; null when it is too long, or there is nothing. */
  get begun(): Buffer | null {
    return this.heldBytes === 0 || this.heldBytes > this.longest ? null : Buffer.concat(this.held);
  }

  /** Passes over what has come of a line that has not ended. */
  forgetBegun(): void {
    this.held = [];
    this.heldBytes = 0;
  }

  private hold(part: Buffer): void {
    const fitted = this.heldBytes <= this.longest;
    this.heldBytes += part.length;
    if (this.heldBytes <= this.longest) {
      this.held.push(part);
    } else if (fitted) {
      this.held = [];
      this.onTooLong();
    }
  }

  /** The parts in one piece, each given up once it is copied: a line may be large. */
  private joined(): Buffer {
    if (this.held.length === 1) {
      return this.held[0] as Buffer;
    }
    const whole = Buffer.allocUnsafeSlow(this.heldBytes);
    let at = 0;
    for (let part = this.held.shift(); part !== undefined; part = this.held.shift()) {
      at += part.copy(whole, at);
    }
    return whole;
  }

  private release(isWhole: boolean): void {
    const line = this.heldBytes <= this.longest ? this.joined() : null;
    this.forgetBegun();
    if (line !== null) {
      this.onLine(line, isWhole);
    }
  }
}

/** What is read of one stream in one turn before others have theirs. */
const TURN_MS = 50;
const LINES_PER_TURN = 2_000;
const BYTES_PER_TURN = 8 * 1024 * 1024;

/**
 * Reads a stream to its end, but no faster than the service can bear: a command that floods it waits
 * until it is read, as at any full pipe.
 * @param onChunk says how many lines the chunk had
 * @returns when the stream has ended or was destroyed
 */
export function readInTurns(stream: Readable, onChunk: (chunk: Buffer) => number): Promise<void> {
  let turnEndsAt = 0;
  let lines = 0;
  let bytes = 0;
  stream.on('data', (chunk: Buffer) => {
    const now = performance.now();
    if (now >= turnEndsAt) {
      turnEndsAt = now + TURN_MS;
      lines = 0;
      bytes = 0;
    }
    lines += onChunk(chunk);
    bytes += chunk.length;
    if (lines > LINES_PER_TURN || bytes > BYTES_PER_TURN) {
      stream.pause();
      setTimeout(() => stream.resume(), Math.max(1, turnEndsAt - performance.now()));
    }
  });
  return new Promise((resolve) => {
    stream.once('close', resolve);
  });
}
