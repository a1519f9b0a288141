import { EventEmitter } from 'node:events';
import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { Database } from '../../platform/database/database.js';

/** Channel on which workers hear that there may be work. */
export const WORK_CHANNEL = 'headframe_work';
/** Channel on which workers hear of a cancel: the payload is `<worker id> <job id>`. */
export const CANCEL_CHANNEL = 'headframe_cancel';

/** Announcements of work closer together than this become one. */
const ANNOUNCE_EVERY_MS = 5;

interface Events {
  work: [];
  cancel: [workerId: string, jobId: string];
}

/**
 * Hints between processes and within this one. They only make things quicker: whatever a lost hint
 * would have said is found by polling (work) and by the heartbeat (cancels).
 *
 * A notification inside the transaction of each insert would cut inserts to a fifth, since such
 * commits queue for one lock; these are sent after the commit, at most one in 5 ms: measured, that
 * costs inserts nothing.
 */
@Injectable()
export class JobSignals extends EventEmitter<Events> implements OnApplicationShutdown {
  private readonly logger = new Logger('JobSignals');
  private lastAnnounced = Number.NEGATIVE_INFINITY;
  private announcement: NodeJS.Timeout | null = null;

  constructor(private readonly database: Database) {
    super();
  }

  /** Says that there may be work: here at once, elsewhere soon. */
  announceWork(): void {
    this.emit('work');
    if (this.announcement !== null) {
      return;
    }
    const wait = this.lastAnnounced + ANNOUNCE_EVERY_MS - performance.now();
    if (wait <= 0) {
      // Without a timer, the shortest of which is a millisecond.
      this.announce();
    } else {
      this.announcement = setTimeout(() => this.announce(), wait);
    }
  }

  /** Tells a worker, wherever it is, to stop a job. */
  announceCancel(workerId: string, jobId: string): void {
    this.emit('cancel', workerId, jobId);
    this.notify(CANCEL_CHANNEL, `${workerId} ${jobId}`);
  }

  onApplicationShutdown(): void {
    clearTimeout(this.announcement ?? undefined);
  }

  private announce(): void {
    this.announcement = null;
    this.lastAnnounced = performance.now();
    this.notify(WORK_CHANNEL, '');
  }

  private notify(channel: string, payload: string): void {
    this.database.pool
      .query({ name: 'notify', text: 'SELECT pg_notify($1, $2)', values: [channel, payload] })
      .catch((error: unknown) => {
        this.logger.warn({ err: error, channel }, 'a hint was not sent; polling will do instead');
      });
  }
}
