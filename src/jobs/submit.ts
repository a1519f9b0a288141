import { Injectable, Logger } from '@nestjs/common';
import { Problem } from '../platform/http/problem.js';
import { describeJob } from './job.log.js';
import { JobSignals } from './job.signals.js';
import {
  type IdempotencyKey,
  type JobKey,
  JobStore,
  type KeyedJob,
  type NewJob,
} from './job.store.js';
import { SubmitQuota } from './submit.quota.js';

/** Use case: a job is submitted. Its parameters, options and caller have been judged by then. */
@Injectable()
export class Submit {
  private readonly logger = new Logger('Submit');

  constructor(
    private readonly jobs: JobStore,
    private readonly quota: SubmitQuota,
    private readonly signals: JobSignals,
  ) {}

  /**
   * Stores a job within the organization's quota, and announces it.
   * @param key which makes repeats of the request the same job; null: each is a job of its own
   * @returns the id of the job: committed when the promise resolves, or long before by the same key
   * @throws Problem `too-many-requests`, `conflict`, or `invalid-parameters` for a key of another body
   */
  async submit(job: NewJob, key: IdempotencyKey | null): Promise<string> {
    if (key === null) {
      await this.quota.admit(job.orgId, Buffer.byteLength(job.parameters));
      await this.jobs.create(job);
      this.announce(job);
      return job.jobId;
    }
    const before = await this.createOnce(job, key);
    if (before?.same === false) {
      throw new Problem(
        'invalid-parameters',
        'The Idempotency-Key was used for another body: use a new key for a new job.',
      );
    }
    return before?.jobId ?? job.jobId;
  }

  /** @returns the job that the same body made under this key before; null when there is none */
  async repeated(
    address: Omit<JobKey, 'jobId'>,
    key: IdempotencyKey | null,
  ): Promise<string | null> {
    const before = key === null ? null : await this.jobs.findKeyed(address, key);
    return before?.same === true ? before.jobId : null;
  }

  /** A key that stands for a job already is answered whatever the quota says now. */
  private async createOnce(job: NewJob, key: IdempotencyKey): Promise<KeyedJob | null> {
    try {
      await this.quota.admit(job.orgId, Buffer.byteLength(job.parameters));
    } catch (error) {
      const kept = await this.jobs.findKeyed(job, key);
      if (kept === null) {
        throw error;
      }
      return kept;
    }
    const before = await this.jobs.createOnce(job, key);
    if (before === null) {
      this.announce(job);
    }
    return before;
  }

  private announce(job: NewJob): void {
    this.logger.log({ ...describeJob(job), transition: 'create', to: 'requested' }, 'job');
    this.signals.announceWork();
  }
}
