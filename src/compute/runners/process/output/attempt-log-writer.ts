import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Logger } from '@nestjs/common';
import { JobLogsStore } from '../../../../jobs/logs/logs.store.js';
import type { Lease } from '../../../../jobs/lease/lease.store.js';
import { Periodic } from '../../../../platform/periodic.js';
import { AttemptLog } from './attempt-log.js';

/** Logs are written at most this often, for all attempts of the process in one statement. */
const WRITE_EVERY_MS = 500;
/** How long the end of an attempt waits for the rest of its log to be stored. */
const LAST_WRITES_MS = 3_000;
const RETRY_MS = 100;

/**
 * Carries the logs of running attempts to the database. A log is a help and no promise: when the
 * database is away the oldest text is dropped, and the job goes on.
 */
@Injectable()
export class AttemptLogWriter {
  private readonly logger = new Logger('AttemptLogWriter');
  private readonly open = new Map<string, AttemptLog>();
  private readonly loop = new Periodic({ name: 'AttemptLogWriter', everyMs: WRITE_EVERY_MS }, () =>
    this.writeAll(),
  );
  private timer: NodeJS.Timeout | null = null;

  constructor(private readonly store: JobLogsStore) {}

  /** Begins the log of an attempt; {@link close} must follow. */
  begin({ jobId, leaseId }: Lease): AttemptLog {
    const log = new AttemptLog({ jobId, leaseId });
    this.open.set(leaseId, log);
    this.timer ??= setInterval(() => void this.loop.tick(), WRITE_EVERY_MS);
    return log;
  }

  /**
   * Stores the rest of a log while its lease is still held. Never rejects.
   * @param wait false when the lease is gone: nothing may be written then
   */
  async close({ leaseId }: Lease, wait: boolean): Promise<void> {
    const log = this.open.get(leaseId);
    const deadline = performance.now() + LAST_WRITES_MS;
    this.open.delete(leaseId);
    if (this.open.size === 0 && this.timer !== null) {
      clearInterval(this.timer);
      this.timer = null;
    }
    while (wait && log !== undefined && !log.isEmpty && performance.now() < deadline) {
      if (!(await this.write([log]))) {
        await sleep(RETRY_MS);
      }
    }
  }

  private async writeAll(): Promise<void> {
    await this.write([...this.open.values()]);
  }

  /** Never rejects. @returns false when the database refused */
  private async write(logs: readonly AttemptLog[]): Promise<boolean> {
    const additions = logs.flatMap((log) => {
      const addition = log.next();
      return addition === null ? [] : [{ log, addition }];
    });
    if (additions.length === 0) {
      return true;
    }
    try {
      // Nothing is written for a lease that is gone.
      await this.store.append(additions.map(({ addition }) => addition));
      additions.forEach(({ log, addition }) => log.stored(addition));
      return true;
    } catch (error) {
      this.logger.warn({ err: error }, 'logs of jobs could not be stored; tries again');
      return false;
    }
  }
}
