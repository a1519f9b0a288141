import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import type { ReadableSpan, SpanProcessor } from '@opentelemetry/sdk-trace';
import type { Metrics } from '../metrics/metrics.js';

/** Spans that wait; each takes about a kilobyte. More are dropped, and counted. */
const MAX_WAITING = 4_096;
const MAX_AT_ONCE = 512;
/** What has gathered for so long is sent, or as soon as a batch is full. */
const GATHER_MS = 1_000;
/** A collector that has not answered by then is not waited for. */
const ANSWER_MS = 5_000;
/** After a failure nothing is sent for so long: ever longer, so that a dead collector costs nothing. */
const FIRST_PAUSE_MS = 1_000;
const LAST_PAUSE_MS = 60_000;
const CLOSE_MS = 1_000;

/** Where spans are sent, and how they are written. */
export interface Collector {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly serialize: (spans: ReadableSpan[]) => Uint8Array | undefined;
}

/**
 * Spans on their way to the collector, which may hang, refuse or be gone: one batch at a time, each waited for
 * as long as {@link ANSWER_MS}, and never more kept than there is room for.
 */
export class SpanQueue implements SpanProcessor {
  private readonly logger = new Logger('Traces');
  private readonly waiting: ReadableSpan[] = [];
  private readonly counts;
  private sending: Promise<void> | null = null;
  private timer: NodeJS.Timeout | null = null;
  private pauseMs = 0;

  constructor(
    private readonly collector: Collector,
    metrics: Metrics,
  ) {
    const spans = metrics.counter({
      name: 'headframe_trace_spans_total',
      help: 'Spans by what became of them: delivered, refused (the collector did not take them, or did not answer), dropped (too many waited), limited (a request or an attempt beyond TRACES_PER_SECOND, of which nothing is recorded).',
      labels: ['result'],
    });
    this.counts = {
      delivered: spans.of('delivered'),
      refused: spans.of('refused'),
      dropped: spans.of('dropped'),
      limited: spans.of('limited'),
    };
  }

  onStart(): void {
    // It is of interest when it has ended.
  }

  onEnd(span: ReadableSpan): void {
    if (this.waiting.length >= MAX_WAITING) {
      this.counts.dropped.add();
      return;
    }
    this.waiting.push(span);
    if (this.pauseMs === 0 && this.waiting.length === MAX_AT_ONCE) {
      this.send();
    } else {
      this.timer ??= setTimeout(() => this.send(), this.pauseMs || GATHER_MS).unref();
    }
  }

  /** What would have been recorded was one too many, and is not. */
  noteLimited(): void {
    this.counts.limited.add();
  }

  async forceFlush(): Promise<void> {
    this.send();
    await this.sending;
  }

  /** Never takes longer than {@link CLOSE_MS}. */
  async shutdown(): Promise<void> {
    const late = sleep(CLOSE_MS, undefined, { ref: false });
    await Promise.race([late, this.forceFlush()]);
    clearTimeout(this.timer ?? undefined);
  }

  private send(): void {
    clearTimeout(this.timer ?? undefined);
    this.timer = null;
    this.sending ??= this.sendAll().finally(() => {
      this.sending = null;
      if (this.waiting.length > 0) {
        this.timer ??= setTimeout(() => this.send(), this.pauseMs || GATHER_MS).unref();
      }
    });
  }

  private async sendAll(): Promise<void> {
    do {
      const batch = this.waiting.splice(0, MAX_AT_ONCE);
      if (batch.length === 0) {
        return;
      }
      const fault = await this.deliver(batch);
      if (fault === null) {
        this.counts.delivered.add(batch.length);
        this.pauseMs = 0;
      } else {
        this.counts.refused.add(batch.length);
        if (this.pauseMs === 0) {
          this.logger.warn({ reason: fault, spans: batch.length }, 'traces could not be delivered');
        }
        this.pauseMs = Math.min(LAST_PAUSE_MS, Math.max(FIRST_PAUSE_MS, this.pauseMs * 2));
      }
    } while (this.pauseMs === 0 && this.waiting.length >= MAX_AT_ONCE);
  }

  /**
   * Not by the exporter of the library: its time is over only when the collector is silent, so that one which
   * sends a byte now and then would hold it for as long as it likes.
   * @returns why it was not; null when it was
   */
  private async deliver(batch: ReadableSpan[]): Promise<string | null> {
    const { url, headers, serialize } = this.collector;
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body: serialize(batch) as Uint8Array<ArrayBuffer>,
        redirect: 'error',
        signal: AbortSignal.timeout(ANSWER_MS),
      });
      // What it says of it is of no interest.
      await response.body?.cancel();
      return response.ok ? null : `it answered ${response.status}`;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }
}
