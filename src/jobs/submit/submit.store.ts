import { Injectable } from '@nestjs/common';
import { Coalescer } from '../../platform/database/coalescer.js';
import { Database } from '../../platform/database/database.js';
import { isDatabaseUnavailable } from '../../platform/database/database-errors.js';
import { Problem } from '../../platform/http/problem/problem.js';
import type { JobKey } from '../job/job.js';
import { UsageMeter } from '../limits/usage-meter.js';
import {
  CREATE_ALL,
  CREATE_LARGE,
  CREATE_LARGE_ONCE,
  CREATE_ONCE,
  type NewJob,
  submitValues,
} from './submit-statement.js';

/** A client's promise that requests with this key are one and the same. */
export interface IdempotencyKey {
  /** SHA-256 of the key. */
  readonly digest: Buffer;
  /** SHA-256 of the body: the same key with another body is a mistake. */
  readonly bodyDigest: Buffer;
}

/** What an idempotency key stands for already. */
export interface KeyedJob {
  readonly jobId: string;
  /** Whether the body was the same. */
  readonly same: boolean;
}

/** How long a request waits for another with the same key. */
const KEY_IN_USE_MS = 2_000;
/** PostgreSQL's code for a lock that was waited for too long. */
const LOCK_NOT_AVAILABLE = '55P03';
/** Parameters beyond this many characters are inserted by a statement of their own. */
const COALESCED_CHARACTERS = 65_536;

/** Stores new jobs, each once where its client gave a key. Submits that come together are stored together. */
@Injectable()
export class SubmitStore {
  private readonly inserts: Coalescer<NewJob, void>;

  constructor(
    private readonly database: Database,
    private readonly usage: UsageMeter,
  ) {
    this.inserts = new Coalescer({
      run: (jobs) => this.insertAll(jobs),
      maxItems: 64,
      maxBatches: 2,
      retryAlone: (error) => !isDatabaseUnavailable(error),
    });
  }

  /** Stores a job; it is committed when the promise resolves. */
  async create(job: NewJob): Promise<void> {
    await (job.parameters.length > COALESCED_CHARACTERS || Buffer.isBuffer(job.parameters)
      ? this.insertAlone(job)
      : this.inserts.submit(job));
  }

  /**
   * Stores a job unless its key stands for one already; both are one commit. A second request with
   * the same key waits for the first.
   * @returns the job that the key stood for before; null: the new job was stored
   * @throws Problem `conflict` when the first takes too long
   */
  async createOnce(job: NewJob, key: IdempotencyKey): Promise<KeyedJob | null> {
    for (;;) {
      const { rowCount } = await this.database
        .queryFor(
          [job.orgId],
          {
            name: Buffer.isBuffer(job.parameters) ? 'create-large-job-once' : 'create-job-once',
            text: Buffer.isBuffer(job.parameters) ? CREATE_LARGE_ONCE : CREATE_ONCE,
            values: [...submitValues([job]), key.digest, key.bodyDigest],
          },
          { lockMs: KEY_IN_USE_MS },
        )
        .catch(refuseKeyInUse);
      if (rowCount === 1) {
        this.count(job);
        return null;
      }
      const kept = await this.findKeyed(job, key);
      if (kept !== null) {
        return kept;
      }
      // It has expired between the two, or its job is gone.
      await this.expireOrphaned(job, key);
    }
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

  private async insertAlone(job: NewJob): Promise<void> {
    if (!Buffer.isBuffer(job.parameters)) {
      await this.insertAll([job]);
      return;
    }
    await this.database.queryFor([job.orgId], {
      name: 'create-large-job',
      text: CREATE_LARGE,
      values: submitValues([job]),
    });
    this.count(job);
  }

  private async insertAll(jobs: readonly NewJob[]): Promise<void[]> {
    const organizations = jobs.map(({ orgId }) => orgId);
    await this.database.queryFor(organizations, {
      name: 'create-jobs',
      text: CREATE_ALL,
      values: submitValues(jobs),
    });
    jobs.forEach((job) => this.count(job));
    return jobs.map(() => undefined);
  }

  private count({ orgId, parameters }: NewJob): void {
    this.usage.add(orgId, Buffer.byteLength(parameters));
  }
}

/** @throws Problem `conflict` for a statement that waited too long for a lock */
function refuseKeyInUse(error: unknown): never {
  if ((error as { code?: string }).code === LOCK_NOT_AVAILABLE) {
    throw new Problem(
      'conflict',
      'Another request with this Idempotency-Key is being served: try again soon.',
      { headers: { 'retry-after': '1' } },
    );
  }
  throw error;
}
