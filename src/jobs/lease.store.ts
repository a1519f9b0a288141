import { Injectable } from '@nestjs/common';
import { Database } from '../platform/database/database.js';
import type { ProblemBody } from '../platform/http/problem.js';
import { JOB_CANCELED } from './job.problems.js';
import type { JobStatus } from './job.status.js';

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
  readonly createdAt: Date;
}

/** Whose turn it is in the ring of organizations; each worker keeps its own. */
export interface RingTurn {
  readonly cursor: string;
  readonly credit: number;
}

export interface Claim {
  readonly jobs: readonly ClaimedJob[];
  readonly turn: RingTurn;
  /** Another worker was claiming from an organization that was passed over: ask again soon. */
  readonly contended: boolean;
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

export interface Failure extends Lease {
  readonly problem: ProblemBody;
  /** Whether another attempt may help; the job's own limit decides whether it gets one. */
  readonly retryable: boolean;
}

/** What a worker does with the jobs it holds. Null: the lease is not held any more; nothing changed. */
@Injectable()
export class LeaseStore {
  constructor(private readonly database: Database) {}

  /**
   * Transition `claim`: starts up to `limit` jobs of the given tasks, fairly between organizations.
   * Each worker process makes one call at a time.
   */
  async claim(
    workerId: string,
    tasks: readonly { readonly topic: string; readonly name: string }[],
    limit: number,
    turn: RingTurn,
  ): Promise<Claim> {
    const { rows } = await this.database.pool.query<ClaimRow>({
      name: 'claim-jobs',
      text: 'SELECT * FROM claim_jobs($1, $2, $3, $4, $5, $6)',
      values: [
        workerId,
        tasks.map(({ topic }) => topic),
        tasks.map(({ name }) => name),
        limit,
        turn.cursor,
        turn.credit,
      ],
    });
    const ring = rows.pop();
    if (ring === undefined) {
      throw new Error('claim_jobs answered no ring: are all migrations applied?');
    }
    return {
      jobs: rows
        .map((row) => ({
          jobId: row.job_id,
          leaseId: row.lease_id,
          orgId: row.org_id,
          topic: row.topic,
          task: row.task,
          attempt: row.attempt,
          createdAt: row.created_at,
        }))
        .sort((one, other) => (one.jobId < other.jobId ? -1 : 1)),
      turn: { cursor: ring.ring_cursor, credit: ring.ring_credit },
      contended: ring.contended,
    };
  }

  /** The parameters of a job that the caller holds, as JSON text; null when they are gone. */
  async parameters(jobId: string): Promise<string | null> {
    const { rows } = await this.database.pool.query<{ parameters: string }>({
      name: 'read-parameters',
      text: 'SELECT parameters::text FROM job_parameters WHERE job_id = $1',
      values: [jobId],
    });
    return rows[0]?.parameters ?? null;
  }

  /**
   * Stores the progress of many jobs in one statement. Its commit does not wait for the disk: a
   * crash of the server may forget the last second of progress.
   * @returns the state of each job whose lease is still held; the others are missing
   */
  async progress(reports: readonly Progress[]): Promise<ReadonlyMap<string, JobStatus>> {
    const { rows } = await this.database.pool.query<{ lease_id: string; status: JobStatus }>({
      name: 'progress',
      text: `
        UPDATE jobs SET progress = greatest(jobs.progress, report.percent),
          message = coalesce(report.message, jobs.message)
        FROM unnest($1::uuid[], $2::uuid[], $3::int[], $4::text[])
            AS report(job_id, lease_id, percent, message),
          (SELECT set_config('synchronous_commit', 'off', true)) AS asynchronous
        WHERE jobs.id = report.job_id AND jobs.lease_id = report.lease_id
        RETURNING jobs.lease_id, jobs.status`,
      values: [
        reports.map(({ jobId }) => jobId),
        reports.map(({ leaseId }) => leaseId),
        reports.map(({ percent }) => percent),
        reports.map(({ message }) => message),
      ],
    });
    return new Map(rows.map((row) => [row.lease_id, row.status]));
  }

  /** Transition `succeed`. A cancel that came first wins: then the results are dropped. */
  succeed({ jobId, leaseId, message, results }: Success): Promise<JobStatus | null> {
    return this.transition(
      'succeed',
      `WITH ended AS (
         UPDATE jobs SET
           status = CASE WHEN status = 'canceling' THEN 'canceled' ELSE 'succeeded' END,
           progress = CASE WHEN status = 'canceling' THEN progress ELSE 100 END,
           message = CASE WHEN status = 'canceling' THEN message ELSE coalesce($3, message) END,
           error = CASE WHEN status = 'canceling' THEN $5::json END,
           ended_at = clock_timestamp(), lease_id = NULL, worker_id = NULL
         WHERE id = $1 AND lease_id = $2
         RETURNING id, org_id, status
       ), kept AS (
         INSERT INTO job_results (job_id, org_id, results)
         SELECT id, org_id, $4::json FROM ended WHERE status = 'succeeded'
       )
       SELECT status FROM ended`,
      [jobId, leaseId, message, results, JSON.stringify(JOB_CANCELED)],
    );
  }

  /**
   * Transition `fail`. With attempts left and a failure worth repeating, the job waits and is
   * requested again: exponential back-off with full jitter, a random part of 1, 2, 4 … at most
   * 60 s.
   */
  fail({ jobId, leaseId, problem, retryable }: Failure): Promise<JobStatus | null> {
    return this.transition(
      'fail',
      `WITH held AS MATERIALIZED (
         SELECT id, CASE WHEN status = 'canceling' THEN 'canceled'
                         WHEN $4 AND failures + 1 < max_attempts THEN 'requested'
                         ELSE 'failed' END AS next
         FROM jobs WHERE id = $1 AND lease_id = $2 FOR UPDATE
       )
       UPDATE jobs SET
         status = next,
         failures = failures + CASE WHEN next = 'canceled' THEN 0 ELSE 1 END,
         error = CASE next WHEN 'failed' THEN $3::json WHEN 'canceled' THEN $5::json END,
         progress = CASE WHEN next = 'requested' THEN 0 ELSE progress END,
         message = CASE WHEN next = 'requested' THEN NULL ELSE message END,
         run_after = CASE WHEN next = 'requested' THEN
           clock_timestamp() + random() * least(60, 2 ^ failures) * interval '1 second' END,
         ended_at = CASE WHEN next <> 'requested' THEN clock_timestamp() END,
         lease_id = NULL, worker_id = NULL
       FROM held WHERE jobs.id = held.id
       RETURNING status`,
      [jobId, leaseId, JSON.stringify(problem), retryable, JSON.stringify(JOB_CANCELED)],
    );
  }

  /** Transition `endCanceled`: the runner has stopped the work of a canceled job. */
  endCanceled({ jobId, leaseId }: Lease): Promise<JobStatus | null> {
    return this.transition(
      'end-canceled',
      `UPDATE jobs SET status = 'canceled', error = $3::json,
         ended_at = clock_timestamp(), lease_id = NULL, worker_id = NULL
       WHERE id = $1 AND lease_id = $2 AND status = 'canceling'
       RETURNING status`,
      [jobId, leaseId, JSON.stringify(JOB_CANCELED)],
    );
  }

  /** Transition `release`: hands a job back unfinished, with nothing counted against it. */
  release({ jobId, leaseId }: Lease): Promise<JobStatus | null> {
    return this.transition(
      'release',
      `UPDATE jobs SET
         status = CASE WHEN status = 'canceling' THEN 'canceled' ELSE 'requested' END,
         error = CASE WHEN status = 'canceling' THEN $3::json END,
         ended_at = CASE WHEN status = 'canceling' THEN clock_timestamp() END,
         progress = CASE WHEN status = 'canceling' THEN progress ELSE 0 END,
         message = CASE WHEN status = 'canceling' THEN message END,
         lease_id = NULL, worker_id = NULL
       WHERE id = $1 AND lease_id = $2
       RETURNING status`,
      [jobId, leaseId, JSON.stringify(JOB_CANCELED)],
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
}

interface ClaimRow {
  readonly job_id: string;
  readonly org_id: string;
  readonly topic: string;
  readonly task: string;
  readonly attempt: number;
  readonly lease_id: string;
  readonly created_at: Date;
  readonly ring_cursor: string;
  readonly ring_credit: number;
  readonly contended: boolean;
}
