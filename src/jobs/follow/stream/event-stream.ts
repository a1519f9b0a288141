import { Readable } from 'node:stream';

/** Bytes that wait for the client, beside what the sockets hold. */
const MAX_WAITING_BYTES = 131_072;
/** What is handed to the socket at once. */
const HANDED_BYTES = 4_096;

/** Which job an event is about, and whether it tells of nothing but its progress. */
export interface About {
  readonly jobId: string;
  readonly isProgress: boolean;
}

interface Frame {
  readonly text: string;
  readonly about: About | null;
}

/**
 * Server-sent events (HTML standard, section 9.2) to one client. What a client does not take waits here: of
 * each job the latest progress, and every other event, up to a bound; who does not take those is cut off.
 */
export class EventStream extends Readable {
  private frames: Frame[] = [];
  private bytes = 0;
  private wanted = false;
  private ending = false;
  private ended = false;
  private lastId: string | null = null;
  private sentAt = performance.now();
  /** Since when something has waited for the client; null: nothing does. */
  private waitsSince: number | null = null;

  constructor() {
    super({ highWaterMark: HANDED_BYTES });
  }

  /** For how long nothing was sent, in milliseconds. */
  get idleMs(): number {
    return performance.now() - this.sentAt;
  }

  /** For how long the client has taken nothing of what waits for it, in milliseconds. */
  get stuckMs(): number {
    return this.waitsSince === null ? 0 : performance.now() - this.waitsSince;
  }

  /** Opens the stream: how soon to come back, and from where if nothing happens until then. */
  begin(id: string | null): void {
    this.lastId = id;
    this.put({ text: `retry: 2000\n${id === null ? '' : `id: ${id}\n`}\n`, about: null });
  }

  /**
   * @param id where a client goes on behind this event; null: behind the one before
   * @param data a JSON document, as text: it has no line breaks of its own
   */
  event(name: string, id: string | null, data: string, about: About | null = null): void {
    this.lastId = id ?? this.lastId;
    const line = this.lastId === null ? '' : `id: ${this.lastId}\n`;
    this.put({ text: `${line}event: ${name}\ndata: ${data}\n\n`, about });
  }

  /** Says that the stream lives; unless something waits for the client, which says so as well. */
  heartbeat(): void {
    if (this.frames.length === 0) {
      this.put({ text: ': alive\n\n', about: null });
    }
  }

  /** Ends the stream behind what waits. */
  finish(): void {
    this.ending = true;
    this.hand();
  }

  override _read(): void {
    this.wanted = true;
    this.hand();
  }

  private put(frame: Frame): void {
    if (this.ending || this.destroyed) {
      return;
    }
    const { about } = frame;
    if (about !== null) {
      // What waits of the job's progress is out of date.
      this.frames = this.frames.filter((waiting) => {
        const isLate = waiting.about?.isProgress === true && waiting.about.jobId === about.jobId;
        this.bytes -= isLate ? waiting.text.length : 0;
        return !isLate;
      });
    }
    this.frames.push(frame);
    this.bytes += frame.text.length;
    this.sentAt = performance.now();
    this.hand();
    if (this.bytes > MAX_WAITING_BYTES) {
      this.destroy();
    }
  }

  private hand(): void {
    while (this.wanted && this.frames.length > 0) {
      const { text } = this.frames.shift() as Frame;
      this.bytes -= text.length;
      this.waitsSince = null;
      this.wanted = this.push(text);
    }
    if (this.frames.length > 0) {
      this.waitsSince ??= performance.now();
    } else if (this.ending && !this.ended) {
      this.ended = true;
      this.push(null);
    }
  }
}
