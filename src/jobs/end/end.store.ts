import { Injectable } from '@nestjs/common';
import type { Actor } from '../../auth/actor.js';
import { Database } from '../../platform/database/database.js';
import { auditInsert, auditParameters, auditValues } from '../audit/audit-insert.js';
import type { JobKey } from '../job/job.js';
import { JOB_CANCELED } from '../job/job-problems.js';
import type { JobStatus } from '../job/job-status.js';

/** What became of a cancel: the state after it, and the worker to tell, if one runs the job. */
export interface CancelRequested {
  readonly status: JobStatus;
  readonly workerId: string | null;
}

/** What clients end: jobs that are not wanted any more, and what is kept of jobs that have ended. */
@Injectable()
export class EndStore {
  constructor(private readonly database: Database) {}

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
    const { rows } = await this.database.queryFor<CancelRequested>([orgId], {
      name: 'request-cancel',
      text: `
        WITH job AS MATERIALIZED (
          SELECT * FROM cancel_job($1, $2, $3, $4, $5)
        ), noted AS (${auditInsert('job.cancel', 'job WHERE changed', auditParameters(6))}
        )
        SELECT status, worker_id AS "workerId" FROM job`,
      values: [...address, JSON.stringify(JOB_CANCELED), ...auditValues(by)],
    });
    return rows[0] ?? null;
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
        ), noted AS (${auditInsert('job.purge', 'job WHERE deleted = 1', auditParameters(5))}
        )
        SELECT status FROM job WHERE deleted IS DISTINCT FROM 0`,
      values: [jobId, orgId, topic, task, ...auditValues(by)],
    });
    return rows[0]?.status ?? null;
  }
}
