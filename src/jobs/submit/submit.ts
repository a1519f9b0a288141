import { Injectable, Logger } from '@nestjs/common';
import { Problem } from '../../platform/http/problem/problem.js';
import { ChangeFeed } from '../feed/change-feed.js';
import { describeJob } from '../job/log-fields.js';
import { JobSignals } from '../job/job-signals.js';
import { JobMetrics } from '../metrics/job-metrics.js';
import { type IdempotencyKey, type KeyedJob, keyOfAnotherBody } from './idempotency-key.js';
import { type Stored, SubmitStore } from './submit.store.js';
import type { NewJob } from './submit-statement.js';
import { SubmitQuota } from './submit-quota.js';

/** So much may the clocks of a client and of the service differ: a time that is past by less is now. */
const CLOCK_TOLERANCE_MS = 5 * 60_000;

/** Use case: a job is submitted. Its parameters, options and caller have been judged by then. */
@Injectable()
export class Submit {
  private readonly logger = new Logger('Submit');

  constructor(
    private readonly jobs: SubmitStore,
    private readonly quota: SubmitQuota,
    private readonly signals: JobSignals,
    private readonly feed: ChangeFeed,
    private readonly metrics: JobMetrics,
  ) {}

  /**
   * Stores a job within the organization's quota, and announces it.
   * @param key which makes repeats of the request the same job; null: each is a job of its own
   * @returns the id of the job: committed when the promise resolves, or long before by the same key
   * @throws Problem `too-many-requests`, `conflict`, or `invalid-parameters` for a key of another body or a
   *   `run_after` long past
   */
  async submit(job: NewJob, key: IdempotencyKey | null): Promise<string> {
    const made = await this.madeInTime(job, key);
    if (made !== null) {
      return made;
    }
    if (key === null) {
      await this.quota.admit(job.orgId, Buffer.byteLength(job.parameters));
      this.announce(job, await this.jobs.create(job));
      return job.jobId;
    }
    const before = await this.createOnce(job, key);
    if (before?.same === false) {
      throw keyOfAnotherBody();
    }
    return before?.jobId ?? job.jobId;
  }

  /**
   * Stores the jobs of a batch within the organization's quota, all or none, and announces them.
   * @param jobs of one task, whose ids follow each other
   * @returns the id of the first of them, or of the first of the batch of before with this key
   * @throws Problem as {@link submit}
   */
  async submitBatch(jobs: readonly NewJob[], key: IdempotencyKey | null): Promise<string> {
    const [first] = jobs as readonly [NewJob];
    const made = await this.madeInTime(first, key);
    if (made !== null) {
      return made;
    }
    const before = await this.createBatch(jobs, key);
    if (before?.same === false) {
      throw keyOfAnotherBody();
    }
    return before?.jobId ?? first.jobId;
  }

  private async createBatch(
    jobs: readonly NewJob[],
    key: IdempotencyKey | null,
  ): Promise<KeyedJob | null> {
    const [first] = jobs as readonly [NewJob];
    const bytes = jobs.reduce((sum, { parameters }) => sum + Buffer.byteLength(parameters), 0);
    const admitted = () => this.quota.admit(first.orgId, bytes, jobs.length);
    const kept = await this.unlessKept(first, key, admitted);
    if (kept !== null) {
      return kept;
    }
    const before = await this.jobs.createBatch(jobs, key);
    if (before === null) {
      jobs.forEach((job) => this.tell(job));
      this.signals.announceWork();
    }
    return before;
  }

  /**
   * A time that is long past is a mistake, unless it was right when the request was sent first. The
   * database's clock decides: this replica's own may be wrong, and is only believed when it sees nothing
   * wrong.
   * @returns the job that the same request made before; null when the job is to be made now
   */
  private async madeInTime(job: NewJob, key: IdempotencyKey | null): Promise<string | null> {
    const { runAfter } = job.options;
    if (runAfter === null || runAfter.getTime() > Date.now() - CLOCK_TOLERANCE_MS) {
      return null;
    }
    const now = await this.jobs.now();
    if (runAfter.getTime() > now.getTime() - CLOCK_TOLERANCE_MS) {
      return null;
    }
    const before = key === null ? null : await this.jobs.findKeyed(job, key);
    if (before?.same === true) {
      return before.jobId;
    }
    throw new Problem('invalid-parameters', 'The options are not right.', {
      invalidParams: [
        {
          name: 'options.run_after',
          reason:
            'is in the past by the clock of the service: leave it out to start at once; it must be a ' +
            'time like 2026-01-31T12:00:00Z, at most a year ahead',
        },
      ],
    });
  }

  private async createOnce(job: NewJob, key: IdempotencyKey): Promise<KeyedJob | null> {
    const kept = await this.unlessKept(job, key, () =>
      this.quota.admit(job.orgId, Buffer.byteLength(job.parameters)),
    );
    if (kept !== null) {
      return kept;
    }
    const made = await this.jobs.createOnce(job, key);
    if ('jobId' in made) {
      return made;
    }
    this.announce(job, made);
    return null;
  }

  /** A key that stands for a job already is answered whatever the quota says now. */
  private async unlessKept(
    job: NewJob,
    key: IdempotencyKey | null,
    admit: () => Promise<void>,
  ): Promise<KeyedJob | null> {
    try {
      await admit();
      return null;
    } catch (error) {
      const kept = key === null ? null : await this.jobs.findKeyed(job, key);
      if (kept === null) {
        throw error;
      }
      return kept;
    }
  }

  private announce(job: NewJob, { started }: Stored): void {
    this.tell(job);
    if (!started) {
      this.signals.announceWork();
    }
  }

  private tell(job: NewJob): void {
    const fields = describeJob({ ...job, traceparent: job.by.traceparent });
    this.logger.log({ ...fields, transition: 'create', to: 'requested' }, 'job');
    this.feed.tell(job);
    this.metrics.noteSubmit(job);
  }
}
