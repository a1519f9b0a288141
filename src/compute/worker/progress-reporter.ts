import { EventEmitter } from 'node:events';
import { Injectable, Logger } from '@nestjs/common';
import { ChangeFeed } from '../../jobs/feed/change-feed.js';
import { type ClaimedJob, LeaseStore, type Progress } from '../../jobs/lease/lease.store.js';
import { storableMessage } from '../runners/job-message.js';

interface Events {
  /** The lease is not held any more. */
  lost: [leaseId: string];
  /** The job of this lease is to be canceled. */
  cancel: [leaseId: string];
}

/** The latest of a job, and whose it is. */
type Report = Progress & Pick<ClaimedJob, 'orgId'>;

/** Progress is written at most this often, for all jobs of the process in one statement. */
const WRITE_EVERY_MS = 500;

/**
 * Carries the progress of running tasks to the database: however often they report, the latest of
 * each is written, twice a second. The answer tells which jobs are canceled or lost.
 */
@Injectable()
export class ProgressReporter extends EventEmitter<Events> {
  private readonly logger = new Logger('ProgressReporter');
  private readonly pending = new Map<string, Report>();
  private writtenAt = Number.NEGATIVE_INFINITY;
  private timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly leases: LeaseStore,
    private readonly feed: ChangeFeed,
  ) {
    super();
  }

  /** @param percent clamped to 0–100, rounded down; not a number: refused silently */
  report(
    lease: Pick<ClaimedJob, 'jobId' | 'leaseId' | 'orgId'>,
    percent: number,
    message: string | null,
  ): void {
    if (Number.isNaN(percent)) {
      return;
    }
    const before = this.pending.get(lease.leaseId);
    this.pending.set(lease.leaseId, {
      jobId: lease.jobId,
      leaseId: lease.leaseId,
      orgId: lease.orgId,
      percent: Math.max(Math.floor(Math.min(100, Math.max(0, percent))), before?.percent ?? 0),
      message: message ?? before?.message ?? null,
    });
    this.timer ??= setTimeout(
      () => void this.write(),
      Math.max(0, this.writtenAt + WRITE_EVERY_MS - performance.now()),
    );
  }

  /** Drops what is pending of an attempt that has ended. */
  forget(leaseId: string): void {
    this.pending.delete(leaseId);
  }

  private async write(): Promise<void> {
    this.writtenAt = performance.now();
    // Only what is written is made storable: of a short job nothing ever is.
    const reports = [...this.pending.values()].map((report) => ({
      ...report,
      message: report.message === null ? null : storableMessage(report.message),
    }));
    this.pending.clear();
    try {
      const states = reports.length === 0 ? new Map() : await this.leases.progress(reports);
      for (const report of reports) {
        const { leaseId } = report;
        const status = states.get(leaseId);
        this.feed.tell(report);
        if (status === undefined) {
          this.emit('lost', leaseId);
        } else if (status === 'canceling') {
          this.emit('cancel', leaseId);
        }
      }
    } catch (error) {
      // The next report of each task makes up for it.
      this.logger.warn({ err: error }, 'progress could not be stored');
    } finally {
      this.timer = null;
      if (this.pending.size > 0) {
        this.timer = setTimeout(
          () => void this.write(),
          Math.max(0, this.writtenAt + WRITE_EVERY_MS - performance.now()),
        );
      }
    }
  }
}
