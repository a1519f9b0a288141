import { sleep } from '../http/abort.js';
import type { Job } from '../job.js';
import type { JobStatus } from '../wire-types.js';

/** What one look at a job says. */
export interface Look {
  readonly status: JobStatus;
  readonly hasEnded: boolean;
  /** Seconds until the service would be asked again; null when it does not say. */
  readonly retryAfterSeconds: number | null;
}

/** Where the changes of a job come from: the status is polled, or there is a stream of events. */
export interface StatusFeed {
  /**
   * The state at once, then each change; the last one is that of the ended job. Ends early, and leaves
   * nothing open, when the reader stops or the signal fires.
   */
  follow(job: Job, signal: AbortSignal | undefined): AsyncGenerator<JobStatus, void, undefined>;
}

/** A short job is over before the service would be asked again: the first looks come sooner. */
const FIRST_PAUSES_MS = [100, 200, 400];
/** However soon the service would be asked again, and when it does not say. */
const MIN_PAUSE_MS = 100;
const USUAL_PAUSE_MS = 1_000;

/** Asks for the status again and again, as often as the service wants to be asked. */
export class PollingFeed implements StatusFeed {
  constructor(private readonly look: (job: Job, signal?: AbortSignal) => Promise<Look>) {}

  async *follow(
    job: Job,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<JobStatus, void, undefined> {
    let told = '';
    for (let looks = 0; ; looks += 1) {
      const { status, hasEnded, retryAfterSeconds } = await this.look(job, signal);
      const news = tellOf(status);
      if (news !== told || hasEnded) yield status;
      if (hasEnded) return;
      told = news;
      await sleep(pauseAfter(looks, retryAfterSeconds), signal);
    }
  }
}

/** What of a status is news when it changes. */
export function tellOf({ status, progress, message, error }: JobStatus): string {
  return JSON.stringify([status, progress, message, error]);
}

/** Milliseconds until the next look, after so many. */
export function pauseAfter(looks: number, retryAfterSeconds: number | null): number {
  const asked =
    retryAfterSeconds === null ? USUAL_PAUSE_MS : Math.max(retryAfterSeconds * 1_000, MIN_PAUSE_MS);
  // A little more, each time another: followers that began together do not stay together.
  return Math.min(FIRST_PAUSES_MS[looks] ?? Infinity, asked * (1 + Math.random() * 0.1));
}
