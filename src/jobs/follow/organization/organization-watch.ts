import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { HeardChange, Place } from '../../feed/change-hint.js';
import type { HeardChanges } from '../../feed/heard-changes.js';
import { isFinal } from '../../job/job-status.js';
import type { JobSnapshot, JobSnapshotStore } from '../../read/watch/job-snapshot.store.js';
import {
  compareStates,
  isSameState,
  statesBetween,
  type ToldState,
  toldState,
} from '../told-state.js';

/** One client that follows an organization. */
export interface OrganizationFollower {
  /** @param isProgress whether nothing but the progress has changed */
  tell(job: JobSnapshot, place: Place, isProgress: boolean): void;
  /** Something was missed: the client has to list again. */
  reset(place: Place): void;
}

/** Jobs that are known to run, and as many that wait, from the beginning. */
const MAX_SURVEYED = 1_000;
/** Jobs of which it is known what was told of them: ongoing ones, and as many that ended. */
const MAX_TOLD = 5_000;
/** Changes that wait to be read; with more the clients are told to list again. */
const MAX_PENDING = 5_000;
const READ_AT_ONCE = 500;
/** A client that missed changes of more jobs than these is told to list again. */
const MAX_MISSED = 100;
/** So many jobs are told of in one turn of the event loop: then the sockets take what waits for them. */
const TOLD_AT_ONCE = 8;
/** Clients are told to list again at most so often, however much happens. */
const RESET_EVERY_MS = 1_000;

/** What was told of a job last. */
interface Told {
  readonly state: ToldState;
  readonly mark: string;
}

const NOWHERE: Place = { stamp: 0, index: 0 };

/**
 * The changes of one organization's jobs, for all in this process who follow it. It does one thing after
 * another: reads what has changed, tells it, takes a new follower in. So each follower is told of each state
 * of a job once, in order.
 */
export class OrganizationWatch {
  private readonly followers = new Set<OrganizationFollower>();
  private readonly ongoing = new Map<string, Told>();
  private readonly ended = new Map<string, Told>();
  /** By job, where it was heard of last. */
  private pending = new Map<string, Place>();
  private readonly joins: (() => Promise<void>)[] = [];
  /** Those who wait to be taken in, or are being. */
  private joining = 0;
  private running: Promise<void> | null = null;
  /** Jobs that were made later are new; null: it is not known yet which jobs there are. */
  private since: Date | null = null;
  private missed = false;
  private lastReset = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly orgId: string,
    private readonly jobs: JobSnapshotStore,
    private readonly heard: HeardChanges,
  ) {}

  get isFollowed(): boolean {
    return this.followers.size > 0 || this.joining > 0;
  }

  /**
   * Takes a follower in: it is told of what changes from now on, or from a place on.
   * @throws whatever the database fails with; the follower is not taken in then
   */
  join(follower: OrganizationFollower, from: Place | null): Promise<void> {
    this.joining += 1;
    const taken = new Promise<void>((resolve, reject) => {
      this.joins.push(() => this.takeIn(follower, from).then(resolve, reject));
      this.run();
    });
    return taken.finally(() => (this.joining -= 1));
  }

  leave(follower: OrganizationFollower): void {
    this.followers.delete(follower);
  }

  hear({ jobId, ...place }: HeardChange): void {
    if (jobId === null || this.pending.size >= MAX_PENDING) {
      this.miss();
      return;
    }
    this.pending.delete(jobId);
    this.pending.set(jobId, place);
    this.run();
  }

  /** Changes were missed: its followers are told so. */
  miss(): void {
    this.missed = true;
    this.pending.clear();
    this.run();
  }

  /** Those of the jobs that are known to go on whose turn it is to be looked at, as many as that. */
  nextToLookAt(count: number): { jobId: string; orgId: string; mark: string }[] {
    const some = [...this.ongoing].slice(0, count);
    for (const [jobId, told] of some) {
      // Those that were looked at last come last.
      this.ongoing.delete(jobId);
      this.ongoing.set(jobId, told);
    }
    return some.map(([jobId, { mark }]) => ({ jobId, orgId: this.orgId, mark }));
  }

  /** A job has changed although nobody said so. */
  lookAt(jobId: string): void {
    if (!this.pending.has(jobId)) {
      this.pending.set(jobId, this.heard.now ?? NOWHERE);
    }
  }

  /** Does what is left to do; after the database was away there may be something. */
  run(): void {
    this.running ??= this.work().finally(() => {
      this.running = null;
    });
  }

  /** Until nothing is left to do, or the database is away: the next look goes on then. */
  private async work(): Promise<void> {
    for (;;) {
      const join = this.joins.shift();
      if (join !== undefined) {
        await join();
      } else if (this.missed) {
        const wait = this.lastReset + RESET_EVERY_MS - performance.now();
        if (wait > 0) {
          await sleep(wait);
        } else if (!(await this.startAnew())) {
          return;
        }
      } else if (this.pending.size > 0) {
        if (!(await this.readPending())) {
          return;
        }
      } else {
        return;
      }
    }
  }

  private async takeIn(follower: OrganizationFollower, from: Place | null): Promise<void> {
    if (this.since === null) {
      await this.survey();
    }
    const missed = from === null ? [] : this.missedBy(from);
    if (missed === null) {
      follower.reset(this.heard.now ?? NOWHERE);
    } else {
      const jobs = await this.read(missed.map(({ jobId }) => jobId as string));
      for (const [index, job] of jobs.entries()) {
        const place = missed[index] as HeardChange;
        if (job !== null) {
          this.tell(job, place);
          follower.tell(job, place, false);
        }
        await letTake(index);
      }
    }
    this.followers.add(follower);
  }

  /** The last change of each job that a client has not seen; null: that is not known, or too many. */
  private missedBy(place: Place): readonly HeardChange[] | null {
    const changes = this.heard.after(this.orgId, place);
    if (changes === null || changes.some(({ jobId }) => jobId === null)) {
      return null;
    }
    const last = new Map<string | null, HeardChange>();
    for (const change of changes) {
      last.delete(change.jobId);
      last.set(change.jobId, change);
    }
    return last.size > MAX_MISSED ? null : [...last.values()];
  }

  private async startAnew(): Promise<boolean> {
    try {
      await this.survey();
    } catch {
      return false;
    }
    this.missed = false;
    this.lastReset = performance.now();
    const place = this.heard.now ?? NOWHERE;
    this.followers.forEach((follower) => follower.reset(place));
    return true;
  }

  /** Learns which jobs go on, so that their ends are told even if nobody says so. */
  private async survey(): Promise<void> {
    const { now } = this.heard;
    const since = now === null ? new Date() : new Date(now.stamp / 1e3);
    const jobs = await this.jobs.ongoing(this.orgId, MAX_SURVEYED);
    this.ongoing.clear();
    this.ended.clear();
    jobs.forEach((job) => this.keep(job, toldState(job)));
    this.since = since;
  }

  private async readPending(): Promise<boolean> {
    const batch = [...this.pending].slice(0, READ_AT_ONCE);
    batch.forEach(([jobId]) => this.pending.delete(jobId));
    try {
      const jobs = await this.read(batch.map(([jobId]) => jobId));
      for (const [index, job] of jobs.entries()) {
        const [jobId, place] = batch[index] as [string, Place];
        if (job === null) {
          this.ongoing.delete(jobId);
        } else if (!this.missed) {
          this.tell(job, place);
        }
        await letTake(index);
      }
      return true;
    } catch {
      if (!this.missed) {
        this.pending = new Map([...batch, ...this.pending]);
      }
      return false;
    }
  }

  private read(jobIds: readonly string[]): Promise<(JobSnapshot | null)[]> {
    return Promise.all(jobIds.map((jobId) => this.jobs.read({ jobId, orgId: this.orgId })));
  }

  /** Tells all followers what is new about a job. */
  private tell(job: JobSnapshot, place: Place): void {
    const now = toldState(job);
    const told = this.ongoing.get(job.jobId) ?? this.ended.get(job.jobId);
    const before = told?.state ?? null;
    if (before !== null && isSameState(before, now)) {
      return;
    }
    const isNew = before === null && this.since !== null && job.createdAt >= this.since;
    const passed =
      isNew || (before !== null && compareStates(now, before) > 0)
        ? statesBetween(before, job)
        : [];
    const isProgress = before?.attempt === now.attempt && before.rank === now.rank;
    for (const follower of this.followers) {
      passed.forEach((state) => follower.tell(state, place, false));
      follower.tell(job, place, isProgress);
    }
    this.keep(job, now);
  }

  private keep({ jobId, status, mark }: JobSnapshot, state: ToldState): void {
    this.ongoing.delete(jobId);
    const kept = isFinal(status) ? this.ended : this.ongoing;
    kept.set(jobId, { state, mark });
    if (kept.size > MAX_TOLD) {
      kept.delete(kept.keys().next().value as string);
    }
  }
}

const letTake = (index: number): Promise<void> | undefined =>
  index % TOLD_AT_ONCE === TOLD_AT_ONCE - 1 ? nextTurn() : undefined;
