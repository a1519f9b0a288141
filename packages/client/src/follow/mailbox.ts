import { sleep } from '../http/abort.js';

/**
 * What has come for one reader and has not been read yet. It holds no more than its limit: a reader that
 * falls behind finds, instead of all that, the one item that says so.
 */
export class Mailbox<T> {
  private items: T[] = [];
  private wake: (() => void) | null = null;

  constructor(
    private readonly limit: number,
    private readonly overflow: T,
  ) {}

  get isEmpty(): boolean {
    return this.items.length === 0;
  }

  post(item: T): void {
    if (this.items.length >= this.limit) this.items = [this.overflow];
    else this.items.push(item);
    this.wake?.();
  }

  clear(): void {
    this.items = [];
  }

  /**
   * The next item, waited for. One reader at a time.
   * @param ms how long; Infinity: for ever
   * @returns null when none came in time
   * @throws the reason of the signal
   */
  async take(ms: number, signal: AbortSignal | undefined): Promise<T | null> {
    signal?.throwIfAborted();
    if (this.isEmpty) await this.arrival(ms, signal);
    return this.items.shift() ?? null;
  }

  private async arrival(ms: number, signal: AbortSignal | undefined): Promise<void> {
    const done = new AbortController();
    const arrived = new Promise<void>((resolve) => {
      this.wake = resolve;
    });
    const stop = () => done.abort(signal?.reason);
    signal?.addEventListener('abort', stop, { once: true });
    try {
      await Promise.race([arrived, sleep(ms, done.signal)]);
    } finally {
      this.wake = null;
      signal?.removeEventListener('abort', stop);
      done.abort();
    }
  }
}
