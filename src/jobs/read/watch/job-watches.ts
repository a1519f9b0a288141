import { type BeforeApplicationShutdown, Injectable } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { Periodic } from '../../../platform/periodic.js';
import { FollowedOrganizations } from '../../feed/followed-organizations.js';
import { HeardChanges } from '../../feed/heard-changes.js';
import type { JobKey } from '../../job/job.js';
import { type JobSnapshot, JobSnapshotStore } from './job-snapshot.store.js';

/** Called with the job as it is, whenever it was read; null: it is not there any more. */
export type JobListener = (job: JobSnapshot | null) => void;

/** Every watched job is read again this often, since hints may be lost. */
const READ_AGAIN_MS = 2_000;
/**
 * When others have only just been told that the organization is followed, a change may pass before they
 * know: so much later the job is read again.
 */
const SETTLE_MS = [20, 60, 200, 600];

interface Watch extends Pick<JobKey, 'jobId' | 'orgId'> {
  readonly listeners: Set<JobListener>;
  /** Of the state that was read last; null: none was. */
  mark: string | null;
  reading: boolean;
  /** It may have changed since it was asked for. */
  again: boolean;
}

/**
 * Jobs that somebody in this process waits for: each is read when a hint says that it may have changed, and
 * now and then besides; what is to be read at the same time is one statement. One read of a job is on
 * its way at a time, so that each listener hears of its states in their order.
 */
@Injectable()
export class JobWatches implements BeforeApplicationShutdown {
  /** By organization, then by job. */
  private readonly watches = new Map<string, Map<string, Watch>>();
  private readonly loop = new Periodic({ name: 'JobWatches', everyMs: READ_AGAIN_MS }, () =>
    this.lookAgain(),
  );

  constructor(
    private readonly jobs: JobSnapshotStore,
    private readonly followed: FollowedOrganizations,
    heard: HeardChanges,
  ) {
    heard.on('change', ({ orgId, jobId }) => {
      const theirs = this.watches.get(orgId);
      if (jobId === null) {
        theirs?.forEach((watch) => this.check(watch));
      } else {
        this.check(theirs?.get(jobId));
      }
    });
    heard.on('gap', () => void this.readAgain());
  }

  /**
   * Tells the listener of the job soon, and again whenever it may have changed: it looks itself whether it
   * has.
   * @returns ends it
   */
  watch({ jobId, orgId }: Pick<JobKey, 'jobId' | 'orgId'>, listener: JobListener): () => void {
    const theirs = this.watches.get(orgId) ?? new Map<string, Watch>();
    this.watches.set(orgId, theirs);
    const watch = theirs.get(jobId) ?? {
      jobId,
      orgId,
      listeners: new Set<JobListener>(),
      mark: null,
      reading: false,
      again: false,
    };
    theirs.set(jobId, watch);
    watch.listeners.add(listener);
    const toldFor = this.followed.follow(orgId);
    for (const ms of SETTLE_MS) {
      if (ms > toldFor) {
        setTimeout(() => this.check(watch), ms - toldFor).unref();
      }
    }
    this.check(watch);
    return () => {
      if (!watch.listeners.delete(listener)) {
        return;
      }
      this.followed.release(orgId);
      if (watch.listeners.size === 0) {
        theirs.delete(jobId);
        if (theirs.size === 0) {
          this.watches.delete(orgId);
        }
      }
    };
  }

  @Interval('watched jobs', READ_AGAIN_MS)
  readAgain(): Promise<void> {
    return this.loop.tick();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
  }

  /** Reads those that have changed, and those that could not be read so far. */
  private async lookAgain(): Promise<void> {
    const all = [...this.watches.values()].flatMap((theirs) => [...theirs.values()]);
    const read = all.filter((watch): watch is Watch & { mark: string } => watch.mark !== null);
    all.filter(({ mark }) => mark === null).forEach((watch) => this.check(watch));
    (await this.jobs.changed(read)).forEach((watch) => this.check(watch));
  }

  private check(watch: Watch | undefined): void {
    if (watch === undefined || watch.listeners.size === 0) {
      return;
    }
    if (watch.reading) {
      watch.again = true;
      return;
    }
    watch.reading = true;
    watch.again = false;
    this.jobs
      .read(watch)
      .then(
        (job) => {
          watch.mark = job?.mark ?? null;
          [...watch.listeners].forEach((listener) => listener(job));
        },
        // A database that is away: others tell of it, and the next round reads again.
        () => undefined,
      )
      .finally(() => {
        watch.reading = false;
        if (watch.again) {
          this.check(watch);
        }
      });
  }
}
