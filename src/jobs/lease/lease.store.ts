import { Injectable } from '@nestjs/common';
import { Coalescer } from '../../platform/database/coalescer.js';
import { Database } from '../../platform/database/database.js';
import { isDatabaseUnavailable } from '../../platform/database/database-errors.js';
import type { ProblemBody } from '../../platform/http/problem/problem.js';
import { MAX_BYTES_IN_ROW } from '../job/job.js';
import { JOB_CANCELED } from '../job/job-problems.js';
import type { JobStatus } from '../job/job-status.js';
import type { Backoff } from './attempt-outcome.js';
import { UsageMeter } from '../limits/usage-meter.js';

/** The right to run one attempt of a job. */
export interface Lease {
  readonly jobId: string;
  /** The fence: random, new for every claim. Whoever does not hold the current one changes nothing. */
  readonly leaseId: string;
}

export interface ClaimedJob extends Lease {
  readonly orgId: string;
  readonly topic: string;
  readonly task: string;
  readonly attempt: number;
  /** How many workers it has cost so far. */
  readonly crashes: number;
  /** The client's limit on the running time, in seconds; null: the task's. */
  readonly timeoutSeconds: number | null;
  /** How long it had waited since it was submitted, in milliseconds, by the database's clock. */
  readonly waitedMs: number;
  /** A JSON document, as text; null when it is large, and must be read for itself. */
  readonly parameters: string | null;
  /** Where its submit stands in a trace; null: in none, or nobody traces. Known a moment after the claim. */
  traceparent: string | null;
}

export interface Progress extends Lease {
  /** An integer, 0–100. */
  readonly percent: number;
  /** Null keeps the last one. */
  readonly message: string | null;
}

export interface Success extends Lease {
  readonly message: string | null;
  /** A JSON object, as text. */
  readonly results: string;
}

export const DEFAULT_BACKOFF: Backoff = { firstSeconds: 1, longestSeconds: 60 };

export interface Failure extends Lease {
  readonly problem: ProblemBody;
  /** Whether another attempt may help; the job's own limit decides whether it gets one. */
  readonly retryable: boolean;
  readonly backoff?: Backoff;
}

export interface Postponement extends Lease {
  readonly afterSeconds: number;
}

/**
 * What stands between documents that are sent together: no JSON document has it in it. An array of them
 * would be quoted element by element, which took a fifth of this process's time for a short job.
 */
const RECORD = '\\x02';
/** Results beyond this many characters are stored by a statement of their own. */
const COALESCED_CHARACTERS = 65_536;
/**
 * The fence: whoever deletes the lease decides how the job goes on, and nobody else can any more. A null
 * is no lease's id.
 */
const HOLDS = (jobId: string, leaseId: string): string =>
  `lease.job_id = ${jobId} AND lease.lease_id = ${leaseId}`;
/** What an attempt leaves when its job goes on without it; from `held`. */
const RECORD_ATTEMPT = `
  INSERT INTO job_attempts (job_id, attempt, org_id, worker_id, started_at, outcome, problem)
  SELECT job_id, attempt, org_id, worker_id, started_at,`;
/** Puts a job of `held` back into the queue, with the numbers of failures and of what it must wait for. */
const QUEUE_AGAIN = (failures: string, runAfter: string): string => `
  INSERT INTO job_queue
    (job_id, org_id, topic, task, urgency, started_at, worker_id, attempt, crashes, failures, run_after)
  SELECT job_id, held.org_id, held.topic, held.task, -asked.priority, started_at, worker_id, attempt, crashes,
    ${failures}, ${runAfter}
  FROM held JOIN job_submissions asked ON asked.id = held.job_id`;
/** Ends a job of `held`. */
const END = (status: string, failures: string, error: string): string => `
  INSERT INTO job_ends
    (job_id, org_id, started_at, worker_id, attempt, crashes, progress, message, status, failures, error)
  SELECT job_id, org_id, started_at, worker_id, attempt, crashes, progress, message, ${status}, ${failures}, ${error}
  FROM held`;

/**
 * What a worker does with the jobs it holds. Null: the lease is not held any more; nothing changed.
 *
 * Statements on many jobs take them in order of id, so that no two wait for each other.
 */
@Injectable()
export class LeaseStore {
  private readonly successes: Coalescer<Success, JobStatus | null>;
  private readonly releases: Coalescer<Lease, JobStatus | null>;

  constructor(
    private readonly database: Database,
    private readonly usage: UsageMeter,
  ) {
    const retryAlone = (error: unknown) => !isDatabaseUnavailable(error);
    this.successes = new Coalescer({
      run: (successes) => this.succeedAll(successes),
      maxItems: 500,
      maxBatches: 2,
      retryAlone,
    });
    this.releases = new Coalescer({
      run: (leases) => this.releaseAll(leases),
      maxItems: 500,
      maxBatches: 1,
      retryAlone,
    });
  }

  /**
   * Stores the progress of many jobs in one statement. Its commit does not wait for the disk: a
   * crash of the server may forget the last second of progress.
   * @returns the state of each job whose lease is still held; the others are missing
   */
  async progress(reports: readonly Progress[]): Promise<ReadonlyMap<string, JobStatus>> {
    const ordered = [...reports].sort(byJob);
    const { rows } = await this.database.pool.query<{ lease_id: string; status: JobStatus }>({
      name: 'progress',
      text: `
        UPDATE job_leases lease SET progress = greatest(lease.progress, report.percent),
          message = coalesce(report.message, lease.message)
        FROM unnest($1::uuid[], $2::uuid[], $3::int[], $4::text[])
            AS report(job_id, lease_id, percent, message),
          (SELECT set_config('synchronous_commit', 'off', true)) AS asynchronous
        WHERE ${HOLDS('report.job_id', 'report.lease_id')}
        RETURNING lease.lease_id, CASE WHEN canceling THEN 'canceling' ELSE 'in progress' END AS status`,
      values: [
        ordered.map(({ jobId }) => jobId),
        ordered.map(({ leaseId }) => leaseId),
        ordered.map(({ percent }) => percent),
        ordered.map(({ message }) => message),
      ],
    });
    return new Map(rows.map((row) => [row.lease_id, row.status]));
  }

  /**
   * Transition `succeed`. A cancel that came first wins: then the results are dropped. Successes
   * that come together are stored together.
   */
  succeed(success: Success): Promise<JobStatus | null> {
    return success.results.length > COALESCED_CHARACTERS
      ? this.succeedAll([success], true).then(([status = null]) => status)
      : this.successes.submit(success);
  }

  /**
   * Transition `fail`. With attempts left and a failure worth repeating, the job waits and is
   * requested again: exponential back-off with full jitter.
   */
  fail({ jobId, leaseId, problem, retryable, backoff }: Failure): Promise<JobStatus | null> {
    const { firstSeconds, longestSeconds } = backoff ?? DEFAULT_BACKOFF;
    return this.transition(
      'fail',
      `WITH taken AS (
         DELETE FROM job_leases lease WHERE ${HOLDS('$1', '$2')} RETURNING lease.*
       ), held AS MATERIALIZED (
         SELECT taken.*, CASE WHEN canceling THEN 'canceled'
                              WHEN $4 AND failures + 1 < asked.max_attempts THEN 'requested'
                              ELSE 'failed' END AS next
         FROM taken JOIN job_submissions asked ON asked.id = taken.job_id
       ), recorded AS (
         ${RECORD_ATTEMPT} 'failed', $3::json FROM held WHERE next = 'requested'
       ), queued AS (
         ${QUEUE_AGAIN(
           'failures + 1',
           `clock_timestamp()
             + random() * least($7::float8, $6::float8 * 2 ^ failures) * interval '1 second'`,
         )} WHERE next = 'requested'
       ), ended AS (
         ${END(
           'next',
           "failures + CASE next WHEN 'failed' THEN 1 ELSE 0 END",
           "CASE next WHEN 'failed' THEN $3::json ELSE $5::json END",
         )} WHERE next <> 'requested'
       )
       SELECT next AS status FROM held`,
      [
        jobId,
        leaseId,
        JSON.stringify(problem),
        retryable,
        JSON.stringify(JOB_CANCELED),
        firstSeconds,
        longestSeconds,
      ],
    );
  }

  /** Transition `postpone`: the task wants to be run again later; nothing is counted against the job. */
  postpone({ jobId, leaseId, afterSeconds }: Postponement): Promise<JobStatus | null> {
    return this.transition(
      'postpone',
      `WITH held AS (
         DELETE FROM job_leases lease WHERE ${HOLDS('$1', '$2')} RETURNING lease.*
       ), recorded AS (
         ${RECORD_ATTEMPT} 'retry later', NULL FROM held WHERE NOT canceling
       ), queued AS (
         ${QUEUE_AGAIN('failures', "clock_timestamp() + $4::float8 * interval '1 second'")} WHERE NOT canceling
       ), ended AS (
         ${END("'canceled'", 'failures', '$3::json')} WHERE canceling
       )
       SELECT CASE WHEN canceling THEN 'canceled' ELSE 'requested' END AS status FROM held`,
      [jobId, leaseId, JSON.stringify(JOB_CANCELED), afterSeconds],
    );
  }

  /** Transition `endCanceled`: the runner has stopped the work of a canceled job. */
  endCanceled({ jobId, leaseId }: Lease): Promise<JobStatus | null> {
    return this.transition(
      'end-canceled',
      `WITH held AS (
         DELETE FROM job_leases lease WHERE ${HOLDS('$1', '$2')} AND canceling RETURNING lease.*
       ), ended AS (
         ${END("'canceled'", 'failures', '$3::json')}
       )
       SELECT 'canceled' AS status FROM held`,
      [jobId, leaseId, JSON.stringify(JOB_CANCELED)],
    );
  }

  /** Transition `release`: hands a job back unfinished, with nothing counted against it. */
  release(lease: Lease): Promise<JobStatus | null> {
    return this.releases.submit(lease);
  }

  /**
   * @param alone one success, whose results are sent as they are: as part of an array all of them would
   *   be quoted first, by several copies
   */
  private async succeedAll(
    successes: readonly Success[],
    alone = false,
  ): Promise<(JobStatus | null)[]> {
    const ordered = [...successes].sort(byJob);
    return this.transitionAll(
      successes,
      alone ? 'succeed-large' : 'succeed',
      `WITH done AS MATERIALIZED (
         SELECT * FROM unnest(string_to_array($1, ',')::uuid[], string_to_array($2, ',')::uuid[], $3::text[],
             ${alone ? 'ARRAY[$4::json]' : `string_to_array($4, E'${RECORD}')`})
           AS done(job_id, lease_id, message, results)
       ), held AS (
         DELETE FROM job_leases lease USING done WHERE ${HOLDS('done.job_id', 'done.lease_id')}
         RETURNING lease.*, done.message AS last_message, done.results::json, octet_length(done.results::text) AS bytes
       ), ended AS (
         INSERT INTO job_ends (job_id, org_id, started_at, worker_id, attempt, crashes, failures,
           status, progress, message, error, results, results_bytes)
         SELECT job_id, org_id, started_at, worker_id, attempt, crashes, failures,
           'succeeded', 100, coalesce(last_message, message), NULL,
           CASE WHEN bytes <= ${MAX_BYTES_IN_ROW} THEN results END,
           CASE WHEN bytes <= ${MAX_BYTES_IN_ROW} THEN bytes END
         FROM held WHERE NOT canceling
       ), canceled AS (
         ${END("'canceled'", 'failures', '$5::json')} WHERE canceling
       ), stored AS (
         INSERT INTO job_results (job_id, org_id, results, bytes)
         SELECT job_id, org_id, results, bytes FROM held WHERE NOT canceling AND bytes > ${MAX_BYTES_IN_ROW}
       )
       SELECT CASE WHEN canceling THEN 'canceled' ELSE 'succeeded' END AS status, org_id,
         sum(bytes) AS bytes, string_agg(lease_id::text, ',') AS leases
       FROM held GROUP BY canceling, org_id`,
      [
        ordered.map(({ jobId }) => jobId).join(),
        ordered.map(({ leaseId }) => leaseId).join(),
        ordered.map(({ message }) => message),
        alone
          ? Buffer.from(ordered[0]?.results ?? '')
          : ordered.map(({ results }) => results).join('\u0002'),
        JSON.stringify(JOB_CANCELED),
      ],
      ({ status, org_id, bytes }: Stored & Transitioned) => {
        if (status === 'succeeded') {
          this.usage.add(org_id, Number(bytes));
        }
      },
    );
  }

  private async releaseAll(leases: readonly Lease[]): Promise<(JobStatus | null)[]> {
    const ordered = [...leases].sort(byJob);
    return this.transitionAll(
      leases,
      'release',
      `WITH held AS (
         DELETE FROM job_leases lease USING unnest($1::uuid[], $2::uuid[]) AS back(job_id, lease_id)
         WHERE ${HOLDS('back.job_id', 'back.lease_id')} RETURNING lease.*
       ), recorded AS (
         ${RECORD_ATTEMPT} 'released', NULL FROM held WHERE NOT canceling
       ), queued AS (
         ${QUEUE_AGAIN('failures', 'NULL')} WHERE NOT canceling
       ), ended AS (
         ${END("'canceled'", 'failures', '$3::json')} WHERE canceling
       )
       SELECT CASE WHEN canceling THEN 'canceled' ELSE 'requested' END AS status,
         string_agg(lease_id::text, ',') AS leases
       FROM held GROUP BY canceling`,
      [
        ordered.map(({ jobId }) => jobId),
        ordered.map(({ leaseId }) => leaseId),
        JSON.stringify(JOB_CANCELED),
      ],
    );
  }

  private async transition(
    name: string,
    text: string,
    values: readonly unknown[],
  ): Promise<JobStatus | null> {
    const { rows } = await this.database.pool.query<{ status: JobStatus }>({
      name,
      text,
      values: [...values],
    });
    return rows[0]?.status ?? null;
  }

  /**
   * @param tell called with each row of the answer
   * @returns the state after it of each, in the order of `leases`
   */
  private async transitionAll<Row>(
    leases: readonly Lease[],
    name: string,
    text: string,
    values: readonly unknown[],
    tell: (row: Row & Transitioned) => void = () => undefined,
  ): Promise<(JobStatus | null)[]> {
    const { rows } = await this.database.pool.query<Row & Transitioned>({
      name,
      text,
      values: [...values],
    });
    rows.forEach(tell);
    const states = new Map(
      rows.flatMap((row) => row.leases.split(',').map((leaseId) => [leaseId, row.status] as const)),
    );
    return leases.map(({ leaseId }) => states.get(leaseId) ?? null);
  }
}

/** Jobs that came into the same state. */
interface Transitioned {
  readonly status: JobStatus;
  /** Separated by commas. */
  readonly leases: string;
}

interface Stored {
  readonly org_id: string;
  readonly bytes: string;
}

const byJob = (one: Lease, other: Lease): number => (one.jobId < other.jobId ? -1 : 1);
