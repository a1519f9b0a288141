import type { Job } from '../job.js';
import type { JobStreams } from './job-streams.js';
import { Mailbox } from './mailbox.js';
import { type Look, pauseAfter, type StatusFeed, tellOf } from './status-feed.js';
import type { JobStatus } from '../wire-types.js';

/** What a follower is told: a state, or that it must look for itself. */
type News = JobStatus | null;

/** Where a follower's news come from, until it leaves. */
interface Source {
  readonly isLive: boolean;
  leave(): void;
}

/** However well a stream seems to go: a change that was lost costs a minute, and not the follower. */
const LOOK_EVERY_MS = 60_000;
/** States that a slow follower may leave unread, before it looks for itself instead. */
const MAX_UNREAD = 100;
const ENDED = new Set<string>(['succeeded', 'failed', 'canceled']);

/**
 * Hears of changes by streams of events, and polls while there is none: before it speaks, when it breaks,
 * where the service has no streams or no more of them, and where a proxy keeps what they say. The first
 * follower has the stream of its job; all others of the client share the organization's.
 */
export class EventFeed implements StatusFeed {
  private ownStreams = 0;

  constructor(
    private readonly look: (job: Job, signal?: AbortSignal) => Promise<Look>,
    private readonly streams: JobStreams,
  ) {}

  async *follow(
    job: Job,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<JobStatus, void, undefined> {
    const mailbox = new Mailbox<News>(MAX_UNREAD, null);
    // Before the first look, when that costs nothing: nothing can be missed then.
    let source = this.streams.shared.isOpen ? this.joinShared(job, mailbox) : null;
    let told = '';
    try {
      for (let looks = 0; ; looks += 1) {
        mailbox.clear();
        const { status, hasEnded, retryAfterSeconds } = await this.look(job, signal);
        if (tellOf(status) !== told || hasEnded) yield status;
        if (hasEnded) return;
        told = tellOf(status);
        // What came meanwhile may be older than this look, or newer: another one tells.
        if (!mailbox.isEmpty) continue;
        source ??= this.join(job, mailbox);
        for (;;) {
          const pause = source.isLive ? LOOK_EVERY_MS : pauseAfter(looks, retryAfterSeconds);
          const news = await mailbox.take(pause, signal);
          if (news === null) break;
          const isEnd = ENDED.has(news.status);
          if (tellOf(news) !== told || isEnd) yield news;
          if (isEnd) return;
          told = tellOf(news);
        }
      }
    } finally {
      source?.leave();
    }
  }

  private join(job: Job, mailbox: Mailbox<News>): Source {
    return this.ownStreams > 0 || this.streams.shared.isOpen
      ? this.joinShared(job, mailbox)
      : this.openOwn(job, mailbox);
  }

  private joinShared(job: Job, mailbox: Mailbox<News>): Source {
    const { shared } = this.streams;
    const lookAgain = () => mailbox.post(null);
    const leave = shared.join({
      onChange: (changed) => {
        if (changed.id === job.id) mailbox.post(statusOf(changed));
      },
      onGap: lookAgain,
      onDown: lookAgain,
      onRefused: lookAgain,
    });
    return {
      get isLive() {
        return shared.isLive;
      },
      leave,
    };
  }

  /** Its stream tells the state at once whenever it begins: there are no gaps to look into. */
  private openOwn(job: Job, mailbox: Mailbox<News>): Source {
    const lookAgain = () => mailbox.post(null);
    this.ownStreams += 1;
    const stream = this.streams.open(job, {
      onUp: () => undefined,
      onEvent: (name, data) => {
        if (name === 'status') mailbox.post(statusOf(data as JobStatus));
      },
      onDown: lookAgain,
      onRefused: lookAgain,
    });
    return {
      get isLive() {
        return stream.isLive;
      },
      leave: () => {
        this.ownStreams -= 1;
        stream.close();
      },
    };
  }
}

/** Of an event only what a status says. */
function statusOf({ status, progress, message, error, links }: JobStatus): JobStatus {
  return {
    status,
    progress,
    ...(message !== undefined && { message }),
    ...(error !== undefined && { error }),
    links,
  };
}
