import { randomInt } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { ClientBase } from 'pg';
import { newId } from '../../platform/ids/new-id.js';
import { Database } from '../../platform/database/database.js';

/** A process that runs jobs, as the database knows it. */
export interface WorkerIdentity {
  readonly id: string;
  /** Second key of the session advisory lock that it holds while it is connected. */
  readonly lockKey: number;
}

/** What a worker runs. */
export interface WorkerProgram {
  /** Of the service. */
  readonly version: string;
  /** Versions of the tasks that it runs, by their keys. */
  readonly tasks: ReadonlyMap<string, string>;
  /** How many jobs it runs at once. */
  readonly slots: number;
}

export interface Beat {
  /** False: the worker was taken for lost; whatever it runs belongs to others now. */
  readonly alive: boolean;
  /** Leases of this worker whose jobs are to be canceled. */
  readonly canceling: readonly string[];
}

/**
 * Workers: their registration and their heartbeats. Cold or not, in SQL: Prisma's client is on the
 * connections for requests, which see no workers, and a worker goes without its memory.
 */
@Injectable()
export class WorkerStore {
  constructor(private readonly database: Database) {}

  /**
   * @param name host and process, for people
   * @param program what it is, which is kept when it is gone
   */
  async register(name: string, { version, tasks, slots }: WorkerProgram): Promise<WorkerIdentity> {
    const worker = { id: newId(), lockKey: randomInt(-(2 ** 31), 2 ** 31) };
    await this.database.pool.query(
      `WITH program AS (
         INSERT INTO worker_programs (worker_id, program, tasks) VALUES ($1, $4, $5)
       ), forgotten AS (
         -- Of those there is no job left, unless they ran for longer than that.
         DELETE FROM worker_programs old WHERE NOT EXISTS (SELECT 1 FROM workers w WHERE w.id = old.worker_id)
           AND old.started_at < coalesce((SELECT created_at FROM job_submissions ORDER BY id LIMIT 1), now())
             - interval '90 days'
       )
       INSERT INTO workers (id, lock_key, name, tasks, slots)
       VALUES ($1, $2, $3, ARRAY(SELECT json_object_keys($5::json)), $6)`,
      [worker.id, worker.lockKey, name, version, JSON.stringify(Object.fromEntries(tasks)), slots],
    );
    return worker;
  }

  /** A worker that still holds jobs, whose end it could not write, is left for others to reap. */
  async unregister(workerId: string): Promise<void> {
    await this.database.pool.query(
      `DELETE FROM workers WHERE id = $1 AND NOT EXISTS (
         SELECT 1 FROM job_leases WHERE worker_id = $1)`,
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
          (SELECT array_agg(lease_id) FROM job_leases
           WHERE worker_id = $1 AND canceling) AS canceling`,
      values: [workerId],
    });
    return { alive: rows[0]?.alive ?? false, canceling: rows[0]?.canceling ?? [] };
  }
}
