import { randomInt } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { ClientBase } from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { Database } from '../../platform/database/database.js';
import { JOB_CANCELED, JOB_EXPIRED, WORKER_LOST } from '../job/job-problems.js';
import type { JobKey } from '../job/job.js';
import type { JobStatus } from '../job/job-status.js';
import { MAX_CRASHES } from '../job/job-transitions.js';

/** A process that runs jobs, as the database knows it. */
export interface WorkerIdentity {
  readonly id: string;
  /** Second key of the session advisory lock that it holds while it is connected. */
  readonly lockKey: number;
}

export interface Beat {
  /** False: the worker was reaped; whatever it runs belongs to others now. */
  readonly alive: boolean;
  /** Leases of this worker whose jobs are to be canceled. */
  readonly canceling: readonly string[];
}

export interface TendedJob extends JobKey {
  readonly attempt: number;
  /** `admit`: its moment has come, and it may be claimed. */
  readonly transition: 'reap' | 'expire' | 'admit';
  /** The worker that was lost with it. */
  readonly lostWorkerId: string | null;
  readonly status: JobStatus;
}

/** First key of the advisory locks by which workers show that they live. */
export const WORKER_LOCK_CLASS = 727071;

/** Workers: their registration, their heartbeats, and what becomes of the jobs of the lost. */
@Injectable()
export class WorkerStore {
  constructor(private readonly database: Database) {}

  /** @param name host and process, for people */
  async register(name: string): Promise<WorkerIdentity> {
    const worker = { id: uuidv7(), lockKey: randomInt(-(2 ** 31), 2 ** 31) };
    await this.database.pool.query('INSERT INTO workers (id, lock_key, name) VALUES ($1, $2, $3)', [
      worker.id,
      worker.lockKey,
      name,
    ]);
    return worker;
  }

  /** A worker that still holds jobs, whose end it could not write, is left to the reaper instead. */
  async unregister(workerId: string): Promise<void> {
    await this.database.pool.query(
      `DELETE FROM workers WHERE id = $1 AND NOT EXISTS (
         SELECT 1 FROM jobs WHERE worker_id = $1 AND lease_id IS NOT NULL)`,
      [workerId],
    );
  }

  /** From now on the worker claims nothing more. */
  async drain(workerId: string): Promise<void> {
    await this.database.pool.query('UPDATE workers SET draining = true WHERE id = $1', [workerId]);
  }

  /**
   * Renews all leases of the worker at once: they live as long as its row is fresh.
   * @param connection the worker's own, which then has shown to be alive as well
   */
  async beat(
    workerId: string,
    connection: Pick<ClientBase, 'query'> = this.database.pool,
  ): Promise<Beat> {
    const { rows } = await connection.query<{ alive: boolean; canceling: string[] | null }>({
      name: 'beat',
      text: `
        WITH beat AS (
          UPDATE workers SET beat_at = clock_timestamp(), suspect_at = NULL
          FROM (SELECT set_config('synchronous_commit', 'off', true)) AS asynchronous
          WHERE id = $1 RETURNING id
        )
        SELECT EXISTS (SELECT 1 FROM beat) AS alive,
          (SELECT array_agg(lease_id) FROM jobs
           WHERE worker_id = $1 AND status = 'canceling') AS canceling`,
      values: [workerId],
    });
    return { alive: rows[0]?.alive ?? false, canceling: rows[0]?.canceling ?? [] };
  }

  /**
   * Drops lost workers and makes transition `reap` for their jobs, makes transition `expire` for jobs
   * that nobody started in time, and lets in jobs whose moment has come. Many replicas may do it at
   * once: each takes what no other has.
   */
  async tend(leaseSeconds: number): Promise<TendedJob[]> {
    const { rows } = await this.database.pool.query<{
      transition: TendedJob['transition'];
      job_id: string;
      org_id: string;
      topic: string;
      task: string;
      attempt: number;
      worker_id: string | null;
      status: JobStatus;
    }>({
      name: 'tend-jobs',
      text: `SELECT * FROM tend_jobs($1, $2 * interval '1 second', $3, $4, $5, $6)`,
      values: [
        WORKER_LOCK_CLASS,
        leaseSeconds,
        MAX_CRASHES,
        JSON.stringify(WORKER_LOST),
        JSON.stringify(JOB_CANCELED),
        JSON.stringify(JOB_EXPIRED),
      ],
    });
    return rows.map((row) => ({
      jobId: row.job_id,
      orgId: row.org_id,
      topic: row.topic,
      task: row.task,
      attempt: row.attempt,
      transition: row.transition,
      lostWorkerId: row.worker_id,
      status: row.status,
    }));
  }
}
