import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Coalescer } from '../../platform/database/coalescer.js';
import { newId } from '../../platform/ids/new-id.js';
import { Database } from '../../platform/database/database.js';
import { isDatabaseUnavailable } from '../../platform/database/database-errors.js';
import type { JobKey } from '../job/job.js';
import type { ClaimedJob, Lease } from '../lease/lease.store.js';
import { LocalStarts } from '../lease/local-starts.js';
import { UsageMeter } from '../limits/usage-meter.js';
import {
  type IdempotencyKey,
  KEY_IN_USE_MS,
  type KeyedJob,
  refuseKeyInUse,
} from './idempotency-key.js';
import {
  CREATE_ALL,
  CREATE_BATCH,
  CREATE_BATCH_ONCE,
  CREATE_LARGE,
  CREATE_LARGE_ONCE,
  CREATE_ONCE,
  CREATE_OR_START_ALL,
  CREATE_OR_START_ONCE,
  type NewJob,
  type Start,
  type StartAnswer,
  startValues,
  submitValues,
} from './submit-statement.js';

/** Parameters beyond this many characters are inserted by a statement of their own. */
const COALESCED_CHARACTERS = 65_536;

/** A job with what it may be started with. */
interface Insert {
  readonly job: NewJob;
  readonly start: Start | null;
}

/** A job was stored; `started`: it runs in this process already, and nobody else need hear of it. */
export interface Stored {
  readonly started: boolean;
}

/** Stores new jobs, each once where its client gave a key. Submits that come together are stored together. */
@Injectable()
export class SubmitStore {
  private readonly inserts: Coalescer<Insert, Stored>;

  constructor(
    private readonly database: Database,
    private readonly usage: UsageMeter,
    private readonly starts: LocalStarts,
  ) {
    this.inserts = new Coalescer({
      run: (inserts) => this.insertAll(inserts),
      maxItems: 64,
      maxBatches: 2,
      retryAlone: (error) => !isDatabaseUnavailable(error),
    });
  }

  /** Stores a job; it is committed when the promise resolves, and runs in this process if it could start. */
  create(job: NewJob): Promise<Stored> {
    if (Buffer.isBuffer(job.parameters)) {
      return this.insertLarge(job);
    }
    const alone = job.parameters.length > COALESCED_CHARACTERS;
    return this.started(job, (start) =>
      alone
        ? this.insertAll([{ job, start }]).then(([stored]) => stored as Stored)
        : this.inserts.submit({ job, start }),
    );
  }

  /**
   * Stores a job unless its key stands for one already; both are one commit. A second request with
   * the same key waits for the first.
   * @returns the job that the key stood for before, or that the new one was stored
   * @throws Problem `conflict` when the first takes too long
   */
  async createOnce(job: NewJob, key: IdempotencyKey): Promise<KeyedJob | Stored> {
    return this.once(job, key, () =>
      Buffer.isBuffer(job.parameters)
        ? this.insertOnce(job, key, null)
        : this.started(job, (start) => this.insertOnce(job, key, start)),
    );
  }

  /**
   * Does what takes a key, unless the key stands for a job already.
   * @param insert answers null when the key was taken
   */
  async once<Answer>(
    task: Omit<JobKey, 'jobId'>,
    key: IdempotencyKey,
    insert: () => Promise<Answer | null>,
  ): Promise<Answer | KeyedJob> {
    for (;;) {
      const stored = await insert();
      if (stored !== null) {
        return stored;
      }
      const kept = await this.findKeyed(task, key);
      if (kept !== null) {
        return kept;
      }
      // It has expired between the two, or its job is gone.
      await this.expireOrphaned(task, key);
    }
  }

  /**
   * Stores the jobs of a batch, all or none, unless their key stands for one already.
   * @param jobs of one task, whose ids follow each other
   * @returns the first job that the key stood for before; null: the batch was stored
   * @throws Problem `conflict` when another request with the key takes too long
   */
  async createBatch(jobs: readonly NewJob[], key: IdempotencyKey | null): Promise<KeyedJob | null> {
    const [first] = jobs as readonly [NewJob];
    const insert = () => this.insertBatch(jobs, key);
    const made = key === null ? await insert() : await this.once(first, key, insert);
    if (made !== null && 'jobId' in made) {
      return made;
    }
    jobs.forEach((job) => this.count(job));
    return null;
  }

  /** The time by the database's clock. */
  async now(): Promise<Date> {
    const { rows } = await this.database.pool.query<{ now: Date }>({
      name: 'read-clock',
      text: 'SELECT clock_timestamp() AS now',
    });
    return (rows[0] as { now: Date }).now;
  }

  /**
   * In SQL, as a key expires by the database's clock.
   * @returns what the key stands for, or null: one whose job was deleted stands for nothing
   */
  async findKeyed(
    { orgId, topic, task }: Omit<JobKey, 'jobId'>,
    { digest, bodyDigest }: IdempotencyKey,
  ): Promise<KeyedJob | null> {
    const { rows } = await this.database.queryFor<KeyedJob>([orgId], {
      name: 'read-idempotency-key',
      text: `
        SELECT job_id AS "jobId", body_digest = $5 AS same FROM idempotency_keys kept
        WHERE org_id = $1 AND topic = $2 AND task = $3 AND key_digest = $4
          AND expires_at > clock_timestamp()
          AND EXISTS (SELECT 1 FROM job_submissions WHERE id = kept.job_id AND org_id = kept.org_id)`,
      values: [orgId, topic, task, digest, bodyDigest],
    });
    return rows[0] ?? null;
  }

  /**
   * Ends a key whose job was deleted, so that its next use makes a new one. A statement of its
   * own, which sees what the submit had to wait for: that one cannot tell a job that was just made from
   * one that is gone.
   */
  private async expireOrphaned(
    { orgId, topic, task }: Omit<JobKey, 'jobId'>,
    { digest }: IdempotencyKey,
  ): Promise<void> {
    await this.database
      .queryFor(
        [orgId],
        {
          name: 'expire-orphaned-key',
          text: `
            WITH orphaned AS MATERIALIZED (
              SELECT job_id FROM idempotency_keys kept
              WHERE org_id = $1 AND topic = $2 AND task = $3 AND key_digest = $4
                AND NOT EXISTS (SELECT 1 FROM job_submissions WHERE id = kept.job_id AND org_id = kept.org_id)
            )
            UPDATE idempotency_keys kept SET expires_at = clock_timestamp() FROM orphaned
            WHERE org_id = $1 AND topic = $2 AND task = $3 AND key_digest = $4
              AND kept.job_id = orphaned.job_id`,
          values: [orgId, topic, task, digest],
        },
        { lockMs: KEY_IN_USE_MS },
      )
      .catch(refuseKeyInUse);
  }

  /**
   * Stores a job with a slot of this process kept for it, if there is one.
   * @param insert answers null when the job was not stored
   */
  private async started<Answer extends Stored | null>(
    job: NewJob,
    insert: (start: Start | null) => Promise<Answer>,
  ): Promise<Answer> {
    const { starter } = this.starts;
    const workerId =
      starter !== null && job.options.runAfter === null
        ? starter.reserve(job.topic, job.task)
        : null;
    if (starter === null || workerId === null) {
      return insert(null);
    }
    const lease = { jobId: job.jobId, leaseId: randomUUID() };
    try {
      const stored = await insert({ workerId, leaseId: lease.leaseId });
      if (stored?.started === true) {
        // After whoever waits for the submit has told of it: the log has its start behind it.
        process.nextTick(() => starter.start(firstAttempt(job, lease), workerId));
      } else {
        starter.free();
      }
      return stored;
    } catch (error) {
      // Its answer may be what was lost: then the job would run nowhere for as long as this process lives.
      starter.handBack(lease);
      throw error;
    }
  }

  /** @returns null when the key was taken */
  private async insertBatch(
    jobs: readonly NewJob[],
    key: IdempotencyKey | null,
  ): Promise<Stored | null> {
    const entry = newId();
    const statement =
      key === null
        ? { name: 'create-batch', text: CREATE_BATCH, values: [...submitValues(jobs), entry] }
        : {
            name: 'create-batch-once',
            text: CREATE_BATCH_ONCE,
            values: [...submitValues(jobs), key.digest, key.bodyDigest, entry],
          };
    const organizations = jobs.slice(0, 1).map(({ orgId }) => orgId);
    const { rowCount } = await this.database
      .queryFor(organizations, statement, key === null ? {} : { lockMs: KEY_IN_USE_MS })
      .catch(refuseKeyInUse);
    return rowCount === jobs.length ? { started: false } : null;
  }

  /** @param job whose parameters are bytes */
  private async insertLarge(job: NewJob): Promise<Stored> {
    await this.database.queryFor([job.orgId], {
      name: 'create-large-job',
      text: CREATE_LARGE,
      values: submitValues([job]),
    });
    this.count(job);
    return { started: false };
  }

  /** @returns null when the key was taken */
  private async insertOnce(
    job: NewJob,
    key: IdempotencyKey,
    start: Start | null,
  ): Promise<Stored | null> {
    const large = Buffer.isBuffer(job.parameters);
    const values = [...submitValues([job]), key.digest, key.bodyDigest];
    const statement =
      start !== null
        ? {
            name: 'create-or-start-job-once',
            text: CREATE_OR_START_ONCE,
            values: [...values, ...startValues([start])],
          }
        : large
          ? { name: 'create-large-job-once', text: CREATE_LARGE_ONCE, values }
          : { name: 'create-job-once', text: CREATE_ONCE, values };
    const { rowCount, rows } = await this.database
      .queryFor<StartAnswer>([job.orgId], statement, { lockMs: KEY_IN_USE_MS })
      .catch(refuseKeyInUse);
    const accepted = start === null ? rowCount : rows[0]?.accepted;
    if (accepted !== 1) {
      return null;
    }
    this.count(job);
    return { started: start !== null && (rows[0]?.started ?? null) !== null };
  }

  private async insertAll(inserts: readonly Insert[]): Promise<Stored[]> {
    const jobs = inserts.map(({ job }) => job);
    const organizations = jobs.map(({ orgId }) => orgId);
    const starts = inserts.map(({ start }) => start);
    const mayStart = starts.some((start) => start !== null);
    const { rows } = await this.database.queryFor<StartAnswer>(
      organizations,
      mayStart
        ? {
            name: 'create-or-start-jobs',
            text: CREATE_OR_START_ALL,
            values: [...submitValues(jobs), ...startValues(starts)],
          }
        : { name: 'create-jobs', text: CREATE_ALL, values: submitValues(jobs) },
    );
    jobs.forEach((job) => this.count(job));
    const started = new Set(mayStart ? rows[0]?.started : []);
    return jobs.map(({ jobId }) => ({ started: started.has(jobId) }));
  }

  private count({ orgId, parameters }: NewJob): void {
    this.usage.add(orgId, Buffer.byteLength(parameters));
  }
}

/** A job as a claim would have brought it. */
const firstAttempt = (
  { jobId, orgId, topic, task, options, parameters, by }: NewJob,
  { leaseId }: Lease,
): ClaimedJob => ({
  jobId,
  leaseId,
  orgId,
  topic,
  task,
  attempt: 1,
  crashes: 0,
  timeoutSeconds: options.timeoutSeconds,
  waitedMs: 0,
  parameters: parameters as string,
  traceparent: by.traceparent,
});
