import { Injectable } from '@nestjs/common';
import { v7 as uuidv7 } from 'uuid';
import type { Actor } from '../../auth/actor.js';
import { Coalescer } from '../../platform/database/coalescer.js';
import { Database } from '../../platform/database/database.js';
import { isDatabaseUnavailable } from '../../platform/database/database-errors.js';
import { Problem, type ProblemBody } from '../../platform/http/problem/problem.js';
import { JOB_CANCELED } from '../job/job-problems.js';
import { isFinal, type JobStatus } from '../job/job-status.js';
import {
  CREATE_ALL,
  CREATE_LARGE,
  CREATE_LARGE_ONCE,
  CREATE_ONCE,
  submitValues,
} from '../submit/submit-statement.js';
import { UsageMeter } from '../limits/usage-meter.js';

/** The address of a job: it is found under these four together or not at all. */
export interface JobKey {
  readonly jobId: string;
  readonly orgId: string;
  readonly topic: string;
  readonly task: string;
}

/** What a client may wish of one job beside its parameters. */
export interface JobOptions {
  /** -100 to 100; among the jobs of one organization, the higher start first. */
  readonly priority: number;
  /** Not to be started before; null: at once. */
  readonly runAfter: Date | null;
  /** How long it may wait unstarted, from the moment it may start; null: for ever. */
  readonly expiresAfterSeconds: number | null;
  /** Limit on the running time of an attempt; null: the task's. */
  readonly timeoutSeconds: number | null;
  readonly labels: Readonly<Record<string, string>> | null;
}

export const NO_OPTIONS: JobOptions = {
  priority: 0,
  runAfter: null,
  expiresAfterSeconds: null,
  timeoutSeconds: null,
  labels: null,
};

export interface NewJob extends JobKey {
  readonly maxAttempts: number;
  readonly options: JobOptions;
  /** A JSON document, as text; that of a large one in UTF-8, which the database takes as it is. */
  readonly parameters: string | Buffer;
  readonly by: Actor;
}

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

export interface JobState {
  readonly status: JobStatus;
  readonly progress: number;
  readonly message: string | null;
  readonly error: ProblemBody | null;
}

export interface JobOutcome {
  readonly status: JobStatus;
  readonly error: ProblemBody | null;
  /** The results as JSON text, for a succeeded job; null when they are `large`. */
  readonly results: string | null;
  /** Whether the results are there, and longer than is read at once: `ResultsReader` reads them. */
  readonly large: boolean;
}

/** What became of a cancel: the state after it, and the worker to tell, if one runs the job. */
export interface CancelRequested {
  readonly status: JobStatus;
  readonly workerId: string | null;
}

/** How long a request waits for another with the same key. */
const KEY_IN_USE_MS = 2_000;
/** Results beyond this many bytes are read piece by piece. */
const READ_AT_ONCE = 262_144;
/** PostgreSQL's code for a lock that was waited for too long. */
const LOCK_NOT_AVAILABLE = '55P03';
/** Parameters beyond this many characters are inserted by a statement of their own. */
const COALESCED_CHARACTERS = 65_536;

/**
 * What clients do with jobs: submit, read, cancel, purge. Each statement demands the organization, and the
 * database shows it no other's rows.
 */
@Injectable()
export class JobStore {
  private readonly inserts: Coalescer<NewJob, void>;
  private readonly reads: Coalescer<JobKey, JobState | null>;

  constructor(
    private readonly database: Database,
    private readonly usage: UsageMeter = new UsageMeter(database),
  ) {
    const retryAlone = (error: unknown) => !isDatabaseUnavailable(error);
    this.inserts = new Coalescer({
      run: (jobs) => this.insertAll(jobs),
      maxItems: 64,
      maxBatches: 2,
      retryAlone,
    });
    this.reads = new Coalescer({
      run: (keys) => this.readStates(keys),
      maxItems: 128,
      maxBatches: 4,
      retryAlone,
    });
  }

  /** Stores a job; it is committed when the promise resolves. */
  async create(job: NewJob): Promise<void> {
    await (job.parameters.length > COALESCED_CHARACTERS || Buffer.isBuffer(job.parameters)
      ? this.insertAlone(job)
      : this.inserts.submit(job));
  }

  /** @returns null when there is no such job under that organization, topic and task */
  findState(key: JobKey): Promise<JobState | null> {
    return this.reads.submit(key);
  }

  /** @returns null when there is no such job under that organization, topic and task */
  async findOutcome({ jobId, orgId, topic, task }: JobKey): Promise<JobOutcome | null> {
    // Results as text: they are sent on as they are stored, and may be large.
    const { rows } = await this.database.queryFor<JobOutcome>([orgId], {
      name: 'read-outcome',
      text: `
        SELECT job.status, job.error, coalesce(kept.bytes, 0) > ${READ_AT_ONCE} AS large,
          CASE WHEN coalesce(kept.bytes, 0) <= ${READ_AT_ONCE} THEN kept.results::text END AS results
        FROM jobs job
        LEFT JOIN job_results kept ON kept.job_id = job.id AND kept.org_id = job.org_id
        WHERE job.id = $1 AND job.org_id = $2 AND job.topic = $3 AND job.task = $4`,
      values: [jobId, orgId, topic, task],
    });
    return rows[0] ?? null;
  }

  /**
   * Transition `requestCancel`. An unstarted job ends at once, a running one becomes `canceling`, an
   * ended one stays as it is.
   * @returns null when there is no such job under that organization, topic and task
   */
  async requestCancel(
    { jobId, orgId, topic, task }: JobKey,
    by: Actor,
  ): Promise<CancelRequested | null> {
    const address = [jobId, orgId, topic, task];
    const { rows } = await this.database.queryFor<{
      status: JobStatus;
      worker_id: string | null;
    }>([orgId], {
      name: 'request-cancel',
      text: `
        WITH changed AS (
          UPDATE jobs SET
            status = CASE WHEN status = 'requested' THEN 'canceled' ELSE 'canceling' END,
            ended_at = CASE WHEN status = 'requested' THEN clock_timestamp() END,
            error = CASE WHEN status = 'requested' THEN $5::json END,
            run_after = NULL, expires_at = NULL
          WHERE id = $1 AND org_id = $2 AND topic = $3 AND task = $4
            AND status IN ('requested', 'in progress', 'canceling')
          RETURNING *
        ), noted AS (
          INSERT INTO audit_log (org_id, id, action, subject, client, job_id, topic, task, address, request_id)
          SELECT org_id, $6, 'job.cancel', $7, $8, id, topic, task, $9, $10 FROM changed
        )
        SELECT status, CASE WHEN lease_id IS NOT NULL THEN worker_id END AS worker_id FROM changed`,
      values: [
        ...address,
        JSON.stringify(JOB_CANCELED),
        uuidv7(),
        by.subject,
        by.client,
        by.address,
        by.requestId,
      ],
    });
    const [row] = rows;
    if (row !== undefined) {
      return { status: row.status, workerId: row.worker_id };
    }
    const state = await this.findState({ jobId, orgId, topic, task });
    return state !== null && isFinal(state.status)
      ? { status: state.status, workerId: null }
      : null;
  }

  /**
   * Deletes a job that has ended, and all that is kept of it but who did what.
   * @returns its state, in which it stayed unless that is final; null when there is no such job under
   *   that organization, topic and task
   */
  async purge({ jobId, orgId, topic, task }: JobKey, by: Actor): Promise<JobStatus | null> {
    const { rows } = await this.database.queryFor<{ status: JobStatus }>([orgId], {
      name: 'purge-job',
      text: `
        WITH job AS MATERIALIZED (
          SELECT *, CASE WHEN ended_at IS NOT NULL THEN delete_ended_jobs(ARRAY[id]) END AS deleted
          FROM jobs WHERE id = $1 AND org_id = $2 AND topic = $3 AND task = $4
        ), noted AS (
          INSERT INTO audit_log (org_id, id, action, subject, client, job_id, topic, task, address, request_id)
          SELECT org_id, $5, 'job.purge', $6, $7, id, topic, task, $8, $9 FROM job WHERE deleted = 1
        )
        SELECT status FROM job WHERE deleted IS DISTINCT FROM 0`,
      values: [
        jobId,
        orgId,
        topic,
        task,
        uuidv7(),
        by.subject,
        by.client,
        by.address,
        by.requestId,
      ],
    });
    return rows[0]?.status ?? null;
  }

  /**
   * Stores a job unless its key stands for one already; both are one commit. Whoever comes second with
   * a key waits for the first.
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

  /** @returns what the key stands for, or null: one whose job was deleted stands for nothing */
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
          AND EXISTS (SELECT 1 FROM jobs WHERE id = kept.job_id AND org_id = kept.org_id)`,
      values: [orgId, topic, task, digest, bodyDigest],
    });
    return rows[0] ?? null;
  }

  /**
   * Ends a key whose job was deleted, so that whoever uses it next makes a new one. A statement of its
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
                AND NOT EXISTS (SELECT 1 FROM jobs WHERE id = kept.job_id AND org_id = kept.org_id)
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

  private async readStates(keys: readonly JobKey[]): Promise<(JobState | null)[]> {
    const organizations = keys.map(({ orgId }) => orgId);
    const { rows } = await this.database.queryFor<JobState & { ordinal: string }>(organizations, {
      name: 'read-job-states',
      text: `
        SELECT asked.ordinal, job.status, job.progress, job.message, job.error
        FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[])
          WITH ORDINALITY AS asked(id, org_id, topic, task, ordinal)
        JOIN jobs job ON job.id = asked.id AND job.org_id = asked.org_id
          AND job.topic = asked.topic AND job.task = asked.task`,
      values: [
        keys.map((key) => key.jobId),
        organizations,
        keys.map((key) => key.topic),
        keys.map((key) => key.task),
      ],
    });
    const found = new Map(rows.map(({ ordinal, ...state }) => [Number(ordinal), state]));
    return keys.map((_, index) => found.get(index + 1) ?? null);
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
