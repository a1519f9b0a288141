import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { type BeforeApplicationShutdown, Injectable } from '@nestjs/common';
import { CHANGES_CHANNEL, JobSignals } from '../job/job-signals.js';
import type { JobKey } from '../job/job.js';
import { changePayloads } from './change-hint.js';
import { FollowedOrganizations } from './followed-organizations.js';

/** Hints closer together than this become one. */
const TELL_EVERY_MS = 5;
/** Of an organization with more changes at once no job is named: who follows it has to look for itself. */
const MAX_OF_ONE = 2_000;
/** The same for all organizations together. */
const MAX_OF_ALL = 20_000;

/**
 * Tells the replicas which jobs have changed, where somebody follows their organization. Whoever makes a
 * transition tells of it once it is committed, beside the line in the log. It is a hint like the others:
 * what has become of the job is read from the database by who wants to know.
 */
@Injectable()
export class ChangeFeed implements BeforeApplicationShutdown {
  /** Ids of jobs by organization; null: too many. */
  private changes = new Map<string, Set<string> | null>();
  private count = 0;
  private sending: Promise<void> | null = null;
  private lastSent = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly followed: FollowedOrganizations,
    private readonly signals: JobSignals,
  ) {}

  /** The job has changed, or come into being: status, progress or message. */
  tell({ orgId, jobId }: Pick<JobKey, 'orgId' | 'jobId'>): void {
    if (!this.followed.has(orgId)) {
      return;
    }
    const jobIds = this.changes.get(orgId);
    if (jobIds === undefined) {
      this.changes.set(orgId, new Set([jobId]));
    } else if (jobIds !== null) {
      jobIds.add(jobId);
    }
    this.count += 1;
    if ((jobIds?.size ?? 0) > MAX_OF_ONE || this.count > MAX_OF_ALL) {
      this.changes.set(orgId, null);
    }
    this.sending ??= this.sendAll().finally(() => {
      this.sending = null;
    });
  }

  /** The last transitions of a process that stops are told of, too. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.sending;
  }

  /** One statement at a time: what is told meanwhile goes with the next. */
  private async sendAll(): Promise<void> {
    while (this.changes.size > 0) {
      const wait = this.lastSent + TELL_EVERY_MS - performance.now();
      // What changed in this turn of the event loop goes together.
      await (wait > 0 ? sleep(wait) : nextTurn());
      const payloads = changePayloads(this.changes);
      this.changes = new Map();
      this.count = 0;
      this.lastSent = performance.now();
      await this.signals.sendStamped(CHANGES_CHANNEL, payloads);
    }
  }
}
