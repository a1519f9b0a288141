import { Injectable } from '@nestjs/common';
import { ADVISORY_LOCKS } from '../../platform/database/advisory-locks.js';
import { Database } from '../../platform/database/database.js';
import type { JobKey } from '../job/job.js';
import { JOB_CANCELED, JOB_EXPIRED, WORKER_LOST } from '../job/job-problems.js';
import type { JobStatus } from '../job/job-status.js';
import { MAX_CRASHES } from '../job/job-transitions.js';

export interface TendedJob extends JobKey {
  readonly attempt: number;
  /** `due`: its `run_after` has passed, and it may be claimed. */
  readonly transition: 'reap' | 'expire' | 'due';
  /** The worker that was lost with it. */
  readonly lostWorkerId: string | null;
  readonly status: JobStatus;
}

/** What becomes of jobs that nobody holds. */
@Injectable()
export class TendStore {
  constructor(private readonly database: Database) {}

  /**
   * Drops lost workers and makes transition `reap` for their jobs, makes transition `expire` for jobs
   * not started in time, and makes due jobs claimable. Many replicas may do it at once: each
   * takes what no other has.
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
        ADVISORY_LOCKS.worker,
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
