import { EventEmitter } from 'node:events';
import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import type { ClientBase } from 'pg';
import type { Config } from '../../platform/config.js';
import { Database } from '../../platform/database/database.js';

/** Channel on which workers hear that there may be work. */
export const WORK_CHANNEL = 'headframe_work';
/** Channel on which workers hear of a cancel: the payload is `<worker id> <job id>`. */
export const CANCEL_CHANNEL = 'headframe_cancel';
/** Channel on which all hear which organizations are followed: see `FollowedOrganizations`. */
export const FOLLOWED_CHANNEL = 'headframe_followed';
/** Channel on which those that answer clients hear which jobs have changed: see `ChangeFeed`. */
export const CHANGES_CHANNEL = 'headframe_changes';

/** What a process of each role listens to: each notification wakes every process that does. */
const HEARD_BY: Readonly<Record<Config['ROLE'], readonly string[]>> = {
  worker: [WORK_CHANNEL, CANCEL_CHANNEL, FOLLOWED_CHANNEL],
  api: [FOLLOWED_CHANNEL, CHANGES_CHANNEL],
  all: [WORK_CHANNEL, CANCEL_CHANNEL, FOLLOWED_CHANNEL, CHANGES_CHANNEL],
};

/** Announcements of work closer together than this become one. */
const ANNOUNCE_EVERY_MS = 5;

interface Events {
  work: [];
  cancel: [workerId: string, jobId: string];
  followed: [payload: string];
  changes: [payload: string];
  /** From now on hints of others are heard; those sent before were lost. */
  hearing: [];
  /** Hints of others are lost until the next `hearing`. */
  deaf: [];
}

/**
 * Hints between processes and within this one. They only make things quicker: whatever a lost hint
 * would have said is found by polling (work), by the heartbeat (cancels), or by reading again (changes).
 *
 * A notification inside the transaction of each insert would cut inserts to a fifth, since such
 * commits queue for one lock; these are sent after the commit, at most one in 5 ms: measured, that
 * costs inserts nothing.
 *
 * One connection of a process listens: the worker's own, or that of `HintLine` where no jobs are run.
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
    void this.send(CANCEL_CHANNEL, `${workerId} ${jobId}`);
  }

  /** Sends a hint to all who listen, this process among them. Never rejects: a hint may be lost. */
  async send(channel: string, payload: string): Promise<void> {
    await this.try(channel, {
      name: 'notify',
      text: 'SELECT pg_notify($1, $2)',
      values: [channel, payload],
    });
  }

  /**
   * The same for many hints, each with the database's time before it: microseconds since 1970, and a
   * space. They are heard in one order by all.
   * @param payloads each of at most 7,900 bytes
   */
  async sendStamped(channel: string, payloads: readonly string[]): Promise<void> {
    await this.try(channel, {
      name: 'notify-stamped',
      text: `
        SELECT pg_notify($1, (extract(epoch FROM clock_timestamp()) * 1e6)::bigint || ' ' || payload)
        FROM unnest($2::text[]) AS payload`,
      values: [channel, payloads],
    });
  }

  /** Has a connection hear what a process of that role has to. */
  async listen(connection: Pick<ClientBase, 'query'>, role: Config['ROLE']): Promise<void> {
    await connection.query(HEARD_BY[role].map((channel) => `LISTEN ${channel}`).join('; '));
  }

  /** Tells this process of a hint that was heard. */
  hear(channel: string, payload: string): void {
    switch (channel) {
      case WORK_CHANNEL:
        this.emit('work');
        return;
      case CANCEL_CHANNEL: {
        const [workerId = '', jobId = ''] = payload.split(' ');
        this.emit('cancel', workerId, jobId);
        return;
      }
      case FOLLOWED_CHANNEL:
        this.emit('followed', payload);
        return;
      case CHANGES_CHANNEL:
        this.emit('changes', payload);
    }
  }

  onApplicationShutdown(): void {
    clearTimeout(this.announcement ?? undefined);
  }

  private announce(): void {
    this.announcement = null;
    this.lastAnnounced = performance.now();
    void this.send(WORK_CHANNEL, '');
  }

  private async try(
    channel: string,
    statement: { readonly name: string; readonly text: string; readonly values: unknown[] },
  ): Promise<void> {
    await this.database.pool.query(statement).catch((error: unknown) => {
      this.logger.warn({ err: error, channel }, 'a hint was not sent; polling will do instead');
    });
  }
}
