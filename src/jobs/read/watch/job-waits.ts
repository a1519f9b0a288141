import type { ServerResponse } from 'node:http';
import { type BeforeApplicationShutdown, Inject, Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { CONFIG, type Config } from '../../../platform/config.js';
import { answered } from '../../../platform/http/connections/answered.js';
import { Draining } from '../../../platform/http/connections/draining.js';
import { Tally } from '../../../platform/tally.js';
import { Metrics } from '../../../platform/metrics/metrics.js';
import { preferredWait } from '../../../platform/http/headers/preferred-wait.js';
import type { JobKey } from '../../job/job.js';
import type { JobSnapshot } from './job-snapshot.store.js';
import { JobWatches } from './job-watches.js';

/** A process that stops waits no longer for its last answers. */
const LAST_ANSWERS_MS = 5_000;

/** What the client is told that it was granted. */
interface Wait {
  readonly seconds: number;
}

/**
 * `Prefer: wait=N`: holds an answer back until there is something to tell, the time is over, or the client
 * is gone. How many are held back is bounded; what is too many is answered at once.
 */
@Injectable()
export class JobWaits implements BeforeApplicationShutdown {
  private readonly ends = new Set<() => void>();
  /** Held back, or being sent. */
  private readonly answers = new Set<ServerResponse>();
  private readonly byOrganization = new Tally();

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly watches: JobWatches,
    private readonly draining: Draining,
    metrics: Metrics,
  ) {
    metrics.gauge(
      {
        name: 'headframe_held_answers',
        help: 'Answers that this process holds back for `Prefer: wait`.',
      },
      () => [[[], this.ends.size]],
    );
    draining.onBegin(() => this.ends.forEach((end) => end()));
  }

  /**
   * Whether this answer may be held back, and for how long; says so in its `Preference-Applied`. What is
   * granted is to be used in the same turn of the event loop, or not at all.
   * @returns null when the client did not ask for it, or as many are held back as may be
   */
  grant(orgId: string, request: FastifyRequest, reply: FastifyReply): Wait | null {
    const wished = preferredWait(request);
    const { MAX_WAIT_SECONDS, MAX_WAITS, MAX_WAITS_ORG } = this.config;
    if (
      wished === null ||
      MAX_WAIT_SECONDS === 0 ||
      this.draining.active ||
      this.ends.size >= MAX_WAITS ||
      this.byOrganization.of(orgId) >= MAX_WAITS_ORG
    ) {
      return null;
    }
    const seconds = Math.min(wished, MAX_WAIT_SECONDS);
    void reply.header('preference-applied', `wait=${seconds}`);
    return { seconds };
  }

  /** What was held back when the process began to stop is answered before connections are cut off. */
  beforeApplicationShutdown(): Promise<void> {
    return answered(this.answers, LAST_ANSWERS_MS);
  }

  /**
   * Waits until the job has come to what the client waits for. Never rejects.
   * @param isDone judges the job as it is; null: it is not there
   */
  async until(
    key: JobKey,
    { seconds }: Wait,
    reply: FastifyReply,
    isDone: (job: JobSnapshot | null) => boolean,
  ): Promise<void> {
    if (seconds === 0 || reply.raw.destroyed) {
      return;
    }
    const { orgId } = key;
    this.byOrganization.add(orgId);
    let end: () => void = () => undefined;
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    this.ends.add(end);
    const timer = setTimeout(end, seconds * 1_000);
    const { raw } = reply;
    raw.once('close', end);
    this.answers.add(raw);
    raw.once('close', () => this.answers.delete(raw));
    const stop = this.watches.watch(key, (job) => {
      if (isDone(job)) {
        end();
      }
    });
    await ended;
    stop();
    clearTimeout(timer);
    raw.off('close', end);
    this.ends.delete(end);
    this.byOrganization.remove(orgId);
  }
}
