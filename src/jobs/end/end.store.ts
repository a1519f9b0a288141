import { Injectable } from '@nestjs/common';
import type { Actor } from '../../auth/actor.js';
import { Database } from '../../platform/database/database.js';
import { auditInsert, auditParameters, auditValues } from '../audit/audit-insert.js';
import type { JobKey } from '../job/job.js';
import { JOB_CANCELED } from '../job/job-problems.js';
import { isFinal, type JobStatus } from '../job/job-status.js';
import { JobStateStore } from '../read/job-state.store.js';

/** What became of a cancel: the state after it, and the worker to tell, if one runs the job. */
export interface CancelRequested {
  readonly status: JobStatus;
  readonly workerId: string | null;
}

/** What clients end: jobs that are not wanted any more, and what is kept of jobs that have ended. */
@Injectable()
export class EndStore {
  constructor(
    private readonly database: Database,
    private readonly states: JobStateStore,
  ) {}

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
        ), noted AS (${auditInsert('job.cancel', 'changed', auditParameters(6))}
        )
        SELECT status, CASE WHEN lease_id IS NOT NULL THEN worker_id END AS worker_id FROM changed`,
      values: [...address, JSON.stringify(JOB_CANCELED), ...auditValues(by)],
    });
    const [row] = rows;
    if (row !== undefined) {
      return { status: row.status, workerId: row.worker_id };
    }
    const state = await this.states.findState({ jobId, orgId, topic, task });
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
        ), noted AS (${auditInsert('job.purge', 'job WHERE deleted = 1', auditParameters(5))}
        )
        SELECT status FROM job WHERE deleted IS DISTINCT FROM 0`,
      values: [jobId, orgId, topic, task, ...auditValues(by)],
    });
    return rows[0]?.status ?? null;
  }
}
