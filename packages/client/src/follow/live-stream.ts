import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { sleep } from '../http/abort.js';
import { objectIn } from '../http/transport.js';
import { ConnectionError, RequestError, UnexpectedAnswerError } from '../errors.js';

/** Opens a stream of events, to go on after the event of that id; throws what a request throws. */
export type OpenStream = (lastEventId: string | null, signal: AbortSignal) => Promise<Response>;

/** Who is told what a stream brings. */
export interface StreamListener {
  /** It has begun to speak. Unless it goes on where it broke, changes may have been missed. */
  onUp(resumed: boolean): void;
  onEvent(name: string, data: object): void;
  /** For now nothing comes from it; it goes on trying. */
  onDown(): void;
  /** The service refuses this stream, for a reason that does not pass by itself. */
  onRefused(error: RequestError): void;
}

/**
 * When streams of this service are of use: shared by all streams of a client, so that one refusal speaks
 * for all.
 */
export class StreamGate {
  private closedUntil = 0;

  close(ms: number): void {
    this.closedUntil = Math.max(this.closedUntil, performance.now() + ms);
  }

  /** Milliseconds until the next try. */
  get pauseMs(): number {
    return Math.max(0, this.closedUntil - performance.now());
  }
}

/** The service speaks at least every 15 seconds; a stream that says nothing for that long is dead. */
const SILENCE_MS = 45_000;
/** Of a stream that never said a word, or of a service that has none: a proxy, or an older version. */
const USELESS_PAUSE_MS = 60_000;
/** After the cap of open streams was reached, when the service does not say how long. */
const CAP_PAUSE_MS = 30_000;
const FIRST_PAUSE_MS = 200;
const MAX_PAUSE_MS = 10_000;
/** Far above any event: status bodies are bounded. */
const MAX_EVENT_CHARACTERS = 1_000_000;

/** How a connection ended: `over` when there is nothing more to come, ever. */
type Outcome = 'over' | 'spoke' | 'silent';

/** A stream of events that is opened again whenever it ends, until it is closed. */
export class LiveStream {
  private readonly closing = new AbortController();
  private lastEventId: string | null = null;
  private speaks = false;
  /** How soon the service wants to see us again. */
  private retryMs = 0;

  constructor(
    private readonly open: OpenStream,
    private readonly listener: StreamListener,
    private readonly gate: StreamGate,
  ) {
    void this.run();
  }

  /** Whether changes come from here, so that nobody needs to poll. */
  get isLive(): boolean {
    return this.speaks;
  }

  close(): void {
    this.closing.abort();
  }

  private async run(): Promise<void> {
    const { signal } = this.closing;
    for (let failures = 0; !signal.aborted; failures += 1) {
      let outcome: Outcome = 'silent';
      try {
        if (this.gate.pauseMs > 0) await sleep(this.gate.pauseMs, signal);
        outcome = await this.connect(signal);
      } catch (error) {
        if (signal.aborted) return;
        this.judge(error);
      }
      if (this.speaks) {
        this.speaks = false;
        this.listener.onDown();
      }
      if (outcome === 'over') return;
      if (outcome === 'spoke') failures = 0;
      const own = Math.min(FIRST_PAUSE_MS * 2 ** Math.min(failures, 10), MAX_PAUSE_MS);
      const pause = Math.max(own, this.retryMs);
      await sleep(pause * (1 + Math.random() * 0.5), signal).catch(() => undefined);
    }
  }

  /** One connection, to its end. */
  private async connect(closing: AbortSignal): Promise<Outcome> {
    const connection = new AbortController();
    const stop = () => connection.abort(closing.reason);
    closing.addEventListener('abort', stop, { once: true });
    let isDead = false;
    const silent = () => {
      isDead = true;
      connection.abort(new ConnectionError('The stream of events fell silent.'));
    };
    let timer = setTimeout(silent, SILENCE_MS);
    let spoke = false;
    let over = false;
    try {
      const response = await this.open(this.lastEventId, connection.signal);
      if (response.status === 204) return 'over';
      const parser = createParser({
        maxBufferSize: MAX_EVENT_CHARACTERS,
        onRetry: (ms) => {
          this.retryMs = Math.min(ms, MAX_PAUSE_MS);
        },
        onEvent: (event) => {
          over ||= event.event === 'end';
          this.tell(event);
        },
      });
      const decoder = new TextDecoder();
      for await (const bytes of chunks(response)) {
        clearTimeout(timer);
        timer = setTimeout(silent, SILENCE_MS);
        if (!spoke) {
          spoke = true;
          this.speaks = true;
          this.listener.onUp(this.lastEventId !== null);
        }
        parser.feed(decoder.decode(bytes, { stream: true }));
        if (over) return 'over';
      }
      return spoke ? 'spoke' : 'silent';
    } catch (error) {
      if (closing.aborted) throw error;
      // That a stream which has spoken breaks is no failure of the service: the next try comes soon.
      if (spoke) return 'spoke';
      // Perhaps a proxy keeps what should have come.
      if (isDead) this.gate.close(USELESS_PAUSE_MS);
      throw error;
    } finally {
      clearTimeout(timer);
      closing.removeEventListener('abort', stop);
      connection.abort();
    }
  }

  private tell({ event = 'message', id, data }: EventSourceMessage): void {
    if (this.closing.signal.aborted) return;
    if (id !== undefined) this.lastEventId = id;
    const body = objectIn(data);
    if (body !== null) this.listener.onEvent(event, body);
  }

  private judge(error: unknown): void {
    if (error instanceof UnexpectedAnswerError) this.gate.close(USELESS_PAUSE_MS);
    if (!(error instanceof RequestError)) return;
    const asked = error.retryAfterSeconds === null ? null : error.retryAfterSeconds * 1_000;
    if ([404, 405, 406].includes(error.status)) this.gate.close(USELESS_PAUSE_MS);
    else if (error.status === 429) this.gate.close(asked ?? CAP_PAUSE_MS);
    else if (error.status >= 500) this.gate.close(asked ?? 0);
    else this.listener.onRefused(error);
  }
}

/** The bytes of an answer; browsers cannot iterate over a body. */
async function* chunks({ body }: Response): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = body?.getReader();
  for (;;) {
    const { done = true, value } = (await reader?.read()) ?? {};
    if (done || value === undefined) return;
    yield value;
  }
}
