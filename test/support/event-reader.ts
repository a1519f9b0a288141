import type { Client } from './client.js';

export interface ReadEvent {
  readonly id: string | null;
  readonly name: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- tests assert on whatever came
  readonly data: any;
}

const PATIENCE_MS = 15_000;

/** A client that reads server-sent events, as the HTML standard has them parsed. */
export class EventReader {
  /** @throws Error when the answer is no stream */
  static async open(
    client: Client,
    path: string,
    headers: Record<string, string> = {},
  ): Promise<EventReader> {
    const controller = new AbortController();
    const response = await fetch(
      client.url + (path.startsWith('/') ? path : `/compute/orgs/${client.org}/${path}`),
      {
        headers: { authorization: `Bearer ${client.token}`, ...headers },
        signal: controller.signal,
      },
    );
    if (response.status !== 200) {
      throw new Error(`answered ${response.status}: ${await response.text()}`);
    }
    return new EventReader(response, controller);
  }

  readonly headers: Headers;
  /** All events so far. */
  readonly events: ReadEvent[] = [];
  /** All comments so far. */
  readonly comments: string[] = [];
  /** The last id that was sent, as an `EventSource` would send it back. */
  lastId = '';
  /** Fulfilled when the stream has ended, however it did. */
  readonly ended: Promise<void>;
  hasEnded = false;
  private taken = 0;
  private wake: () => void = () => undefined;

  private constructor(
    response: Response,
    private readonly controller: AbortController,
  ) {
    this.headers = response.headers;
    this.ended = this.read(response).catch(() => undefined);
    void this.ended.then(() => {
      this.hasEnded = true;
      this.wake();
    });
  }

  /** The next event; null: the stream has ended. @throws Error after a while */
  async next(patienceMs = PATIENCE_MS): Promise<ReadEvent | null> {
    const deadline = performance.now() + patienceMs;
    while (this.taken === this.events.length) {
      if (this.hasEnded) {
        return null;
      }
      const left = deadline - performance.now();
      if (left <= 0) {
        throw new Error(`no event came after ${JSON.stringify(this.events.slice(-3))}`);
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.taken += 1;
    return this.events[this.taken - 1] as ReadEvent;
  }

  /** Reads on until an event satisfies the condition. @throws Error when the stream ends without one */
  async until(condition: (event: ReadEvent) => boolean): Promise<ReadEvent> {
    for (;;) {
      const event = await this.next();
      if (event === null) {
        throw new Error(`the stream ended after ${JSON.stringify(this.events.slice(-3))}`);
      }
      if (condition(event)) {
        return event;
      }
    }
  }

  /** Goes away, as a client does whose network is gone. */
  close(): Promise<void> {
    this.controller.abort();
    return this.ended;
  }

  private async read(response: Response): Promise<void> {
    let text = '';
    const decoder = new TextDecoder();
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      text += decoder.decode(chunk, { stream: true });
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        this.take(text.slice(0, end).split('\n'));
        text = text.slice(end + 2);
      }
    }
  }

  private take(lines: readonly string[]): void {
    const valueOf = (name: string) =>
      lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2) ?? null;
    this.comments.push(...lines.filter((line) => line.startsWith(':')));
    const id = valueOf('id');
    this.lastId = id ?? this.lastId;
    const data = valueOf('data');
    if (data !== null) {
      this.events.push({ id, name: valueOf('event') ?? 'message', data: JSON.parse(data) });
      this.wake();
    }
  }
}
