/** What a span may be told when it begins. */
export interface SpanOptions {
  /** A `traceparent`: what it is part of; null: a trace of its own begins. */
  readonly parent: string | null;
  readonly kind?: 'server' | 'consumer' | 'internal';
  /** `traceparent`s of what else it has to do with. */
  readonly links?: readonly string[];
  /** Milliseconds since 1970; now when it is not said. */
  readonly startedAt?: number;
  readonly attributes?: Readonly<Record<string, string | number | boolean>>;
}

/** A span that has begun. */
export interface OpenSpan {
  /** For what is part of it. */
  readonly traceparent: string;
  set(attributes: Readonly<Record<string, string | number | boolean>>): void;
  /**
   * @param failed what went wrong, for people; null: nothing
   * @param endedAt milliseconds since 1970; now when it is not said
   */
  end(failed?: string | null, endedAt?: number): void;
}

/** Where spans go. */
export abstract class Tracing {
  /** Whether there is anybody to tell; when not, nothing is to be begun. */
  abstract readonly on: boolean;
  /** Whether a request that is part of no trace begins one, which is recorded. */
  abstract begins(): boolean;
  /**
   * Whether one more request or attempt may be recorded, of a trace that somebody records: asked once for each, before
   * it is begun.
   */
  abstract mayRecord(): boolean;
  /** Begins a span, which is recorded. */
  abstract start(name: string, options: SpanOptions): OpenSpan;
  /** Delivers what waits, for a second at most. Never rejects. */
  abstract close(): Promise<void>;
}

/** Nobody wants to know: nothing is loaded, and nothing is done. */
export class NoTracing extends Tracing {
  readonly on = false;

  begins(): boolean {
    return false;
  }

  mayRecord(): boolean {
    return false;
  }

  start(): OpenSpan {
    throw new TypeError('Nobody traces: look at `on` first.');
  }

  async close(): Promise<void> {
    // There is nothing to deliver.
  }
}
