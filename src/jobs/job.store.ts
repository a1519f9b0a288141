import { Injectable } from '@nestjs/common';
import { Coalescer } from '../platform/database/coalescer.js';
import { Database } from '../platform/database/database.js';
import { isDatabaseUnavailable } from '../platform/database/database.errors.js';
import type { ProblemBody } from '../platform/http/problem.js';
import { JOB_CANCELED } from './job.problems.js';
import { isFinal, type JobStatus } from './job.status.js';
import { UsageMeter } from './usage.meter.js';

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
  /** A JSON document, as text. */
  readonly parameters: string;
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
  /** The results as JSON text, for a succeeded job. */
  readonly results: string | null;
}

/** What became of a cancel: the state after it, and the worker to tell, if one runs the job. */
export interface CancelRequested {
  readonly status: JobStatus;
  readonly workerId: string | null;
}

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
    await (job.parameters.length > COALESCED_CHARACTERS
      ? this.insertAll([job])
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
        SELECT job.status, job.error, kept.results::text AS results
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
  async requestCancel({ jobId, orgId, topic, task }: JobKey): Promise<CancelRequested | null> {
    const address = [jobId, orgId, topic, task];
    const { rows } = await this.database.queryFor<{
      status: JobStatus;
      worker_id: string | null;
    }>([orgId], {
      name: 'request-cancel',
      text: `
        UPDATE jobs SET
          status = CASE WHEN status = 'requested' THEN 'canceled' ELSE 'canceling' END,
          ended_at = CASE WHEN status = 'requested' THEN clock_timestamp() END,
          error = CASE WHEN status = 'requested' THEN $5::json END,
          run_after = NULL, expires_at = NULL
        WHERE id = $1 AND org_id = $2 AND topic = $3 AND task = $4
          AND status IN ('requested', 'in progress', 'canceling')
        RETURNING status, CASE WHEN lease_id IS NOT NULL THEN worker_id END AS worker_id`,
      values: [...address, JSON.stringify(JOB_CANCELED)],
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
   * Deletes a job that has ended, and all that is kept of it.
   * @returns its state, in which it stayed unless that is final; null when there is no such job under
   *   that organization, topic and task
   */
  async purge({ jobId, orgId, topic, task }: JobKey): Promise<JobStatus | null> {
    const { rows } = await this.database.queryFor<{ status: JobStatus }>([orgId], {
      name: 'purge-job',
      text: `
        SELECT status FROM (
          SELECT status, CASE WHEN ended_at IS NOT NULL THEN delete_ended_jobs(ARRAY[id]) END AS deleted
          FROM jobs WHERE id = $1 AND org_id = $2 AND topic = $3 AND task = $4) AS job
        WHERE deleted IS DISTINCT FROM 0`,
      values: [jobId, orgId, topic, task],
    });
    return rows[0]?.status ?? null;
  }

  private async insertAll(jobs: readonly NewJob[]): Promise<void[]> {
    const organizations = jobs.map(({ orgId }) => orgId);
    await this.database.queryFor(organizations, {
      name: 'create-jobs',
      text: `
        WITH job AS MATERIALIZED (
          SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::int[], $6::json[],
              $7::int[], $8::timestamptz[], $9::int[], $10::int[], $11::json[])
            AS job(id, org_id, topic, task, max_attempts, parameters,
              priority, run_after, expires_after, timeout_seconds, labels)
        ), kept AS (
          INSERT INTO job_parameters (job_id, org_id, parameters, bytes)
          SELECT id, org_id, parameters, octet_length(parameters::text) FROM job
        ), labeled AS (
          INSERT INTO job_labels (job_id, org_id, name, value)
          SELECT id, org_id, label.key, label.value FROM job, json_each_text(labels) AS label
          WHERE labels IS NOT NULL
        )
        INSERT INTO jobs (id, org_id, topic, task, max_attempts, priority, timeout_seconds, run_after, expires_at)
        SELECT id, org_id, topic, task, max_attempts, priority, timeout_seconds,
          CASE WHEN run_after > clock_timestamp() THEN run_after END,
          greatest(clock_timestamp(), run_after) + expires_after * interval '1 second'
        FROM job`,
      values: [
        jobs.map((job) => job.jobId),
        organizations,
        jobs.map((job) => job.topic),
        jobs.map((job) => job.task),
        jobs.map((job) => job.maxAttempts),
        jobs.map((job) => job.parameters),
        jobs.map(({ options }) => options.priority),
        jobs.map(({ options }) => options.runAfter),
        jobs.map(({ options }) => options.expiresAfterSeconds),
        jobs.map(({ options }) => options.timeoutSeconds),
        jobs.map(({ options }) => options.labels && JSON.stringify(options.labels)),
      ],
    });
    jobs.forEach(({ orgId, parameters }) => this.usage.add(orgId, Buffer.byteLength(parameters)));
    return jobs.map(() => undefined);
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
