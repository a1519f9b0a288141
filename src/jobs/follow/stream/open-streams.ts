import type { ServerResponse } from 'node:http';
import { type BeforeApplicationShutdown, Inject, Injectable, Logger } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Caller } from '../../../auth/caller.js';
import { CLOCK_TOLERANCE_SECONDS } from '../../../auth/tokens/claims.js';
import { CONFIG, type Config } from '../../../platform/config.js';
import { answered } from '../../../platform/http/connections/answered.js';
import { Draining } from '../../../platform/http/connections/draining.js';
import { Tally } from '../../../platform/tally.js';
import { Metrics } from '../../../platform/metrics/metrics.js';
import { Problem } from '../../../platform/http/problem/problem.js';
import { EventStream } from './event-stream.js';

/** Proxies close what is silent for a minute or less. */
const HEARTBEAT_MS = 15_000;
/** A client that takes nothing of what waits for it is cut off after this. */
const MAX_STUCK_MS = 60_000;
const LOOK_EVERY_MS = 1_000;

/** A process that stops waits no longer for clients to take the end of their streams. */
const LAST_EVENTS_MS = 1_000;

interface Open {
  readonly orgId: string;
  readonly answer: ServerResponse;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/** The event streams of this process: how many there may be, when each ends, and one clock for all. */
@Injectable()
export class OpenStreams implements BeforeApplicationShutdown {
  private readonly logger = new Logger('OpenStreams');
  private readonly streams = new Map<EventStream, Open>();
  private readonly byOrganization = new Tally();

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly draining: Draining,
    metrics: Metrics,
  ) {
    metrics.gauge(
      { name: 'headframe_event_streams', help: 'Event streams that are open at this process.' },
      () => [[[], this.streams.size]],
    );
    draining.onBegin(() => this.streams.forEach((_, stream) => stream.finish()));
  }

  /**
   * Opens a stream as the answer to a request, and counts it until it is closed: `close` is emitted then,
   * whoever ended it. The caller fills it, and sends it.
   * @throws Problem `too-many-requests`, or `unavailable` when the process stops
   */
  open(orgId: string, request: FastifyRequest, reply: FastifyReply): EventStream {
    this.admit(orgId);
    const { user } = request as FastifyRequest & { readonly user: Caller };
    const stream = new EventStream();
    this.streams.set(stream, { orgId, answer: reply.raw, expiresAt: endOf(user) });
    this.byOrganization.add(orgId);
    stream.once('close', () => this.forget(stream, orgId));
    // Also of a client that is gone before the stream is sent.
    reply.raw.once('close', () => stream.destroy());
    void reply.status(200).headers({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      // Else nginx keeps events until it has some kilobytes of them.
      'x-accel-buffering': 'no',
    });
    if (request.method === 'HEAD') {
      stream.finish();
    }
    return stream;
  }

  @Interval('event streams', LOOK_EVERY_MS)
  look(): void {
    const now = Date.now();
    for (const [stream, { orgId, expiresAt }] of this.streams) {
      if (stream.stuckMs > MAX_STUCK_MS) {
        this.logger.warn({ org: orgId }, 'cut off a client that does not take its events');
        stream.destroy();
      } else if (expiresAt <= now) {
        stream.event('expired', null, '{}');
        stream.finish();
      } else if (stream.idleMs >= HEARTBEAT_MS) {
        stream.heartbeat();
      }
    }
  }

  /** Whoever has not taken the end of its stream by now is cut off. */
  async beforeApplicationShutdown(): Promise<void> {
    await answered(
      [...this.streams.values()].map(({ answer }) => answer),
      LAST_EVENTS_MS,
    );
    this.streams.forEach((_, stream) => stream.destroy());
  }

  private admit(orgId: string): void {
    if (this.draining.active) {
      throw new Problem('unavailable', 'This replica is shutting down: try again.', {
        headers: { 'retry-after': '1' },
      });
    }
    if (this.byOrganization.of(orgId) >= this.config.MAX_STREAMS_ORG) {
      throw new Problem(
        'too-many-requests',
        'The organization has as many event streams open as it may: close one, or follow many jobs by one stream of the organization.',
        { headers: { 'retry-after': '5' } },
      );
    }
    if (this.streams.size >= this.config.MAX_STREAMS) {
      throw new Problem(
        'too-many-requests',
        'The service has as many event streams open as it may: poll the status, or try again soon.',
        { headers: { 'retry-after': '5' } },
      );
    }
  }

  private forget(stream: EventStream, orgId: string): void {
    this.streams.delete(stream);
    this.byOrganization.remove(orgId);
  }
}

/**
 * When a token ends: at its `exp`; one that is taken although that is past, since clocks may differ, when it
 * will not be taken any more.
 */
function endOf({ expiresAt }: Caller): number {
  const end = expiresAt * 1_000;
  return end > Date.now() ? end : end + CLOCK_TOLERANCE_SECONDS * 1_000;
}
