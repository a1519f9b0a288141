import { Injectable } from '@nestjs/common';
import type { Actor } from '../../auth/actor.js';
import { newId } from '../../platform/ids/new-id.js';
import { Database } from '../../platform/database/database.js';
import { auditInsert, auditParameters, auditValues } from '../audit/audit-insert.js';
import type { JobKey } from '../job/job.js';
import { JOB_CANCELED } from '../job/job-problems.js';
import type { JobStatus } from '../job/job-status.js';

/** What became of a cancel: the state after it, and the worker to tell, if one runs the job. */
export interface CancelRequested {
  readonly status: JobStatus;
  readonly workerId: string | null;
  /** False: the job had ended. */
  readonly changed: boolean;
}

/** What is noted of each of several jobs: the id of its entry is a column, the rest are parameters. */
const entryFrom = (first: number) => ({ ...auditParameters(first - 1), id: 'entry' });

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
        SELECT status, worker_id AS "workerId", changed FROM job`,
      values: [...address, JSON.stringify(JOB_CANCELED), ...auditValues(by)],
    });
    return rows[0] ?? null;
  }

  /**
   * The same for several jobs of one organization.
   * @returns those that were changed
   */
  async requestCancels(
    orgId: string,
    jobIds: readonly string[],
    by: Actor,
  ): Promise<readonly (JobKey & CancelRequested)[]> {
    const { rows } = await this.database.queryFor<JobKey & CancelRequested>([orgId], {
      name: 'request-cancels',
      text: `
        WITH job AS MATERIALIZED (
          SELECT canceled.*, asked.entry FROM cancel_jobs($1, $2, $3) canceled
          JOIN unnest($1::uuid[], $4::uuid[]) AS asked(id, entry) USING (id)
        ), noted AS (${auditInsert('job.cancel', 'job WHERE changed', entryFrom(5))}
        )
        SELECT id AS "jobId", org_id AS "orgId", topic, task, status, worker_id AS "workerId", changed
        FROM job WHERE changed`,
      values: [
        jobIds,
        orgId,
        JSON.stringify(JOB_CANCELED),
        jobIds.map(newId),
        ...auditValues(by).slice(1),
      ],
    });
    return rows;
  }

  /**
   * Deletes several jobs of one organization that have ended, and all that is kept of them but who did what.
   * @returns those that were deleted
   */
  async purgeAll(
    orgId: string,
    jobIds: readonly string[],
    by: Actor,
  ): Promise<readonly (JobKey & { readonly status: JobStatus })[]> {
    const { rows } = await this.database.queryFor<JobKey & { status: JobStatus }>([orgId], {
      name: 'purge-jobs',
      text: `
        WITH job AS MATERIALIZED (
          SELECT s.id, s.org_id, s.topic, s.task, e.status, asked.entry,
            delete_ended_jobs(ARRAY[s.id]) AS deleted
          FROM unnest($1::uuid[], $3::uuid[]) AS asked(id, entry)
          JOIN job_submissions s ON s.id = asked.id AND s.org_id = $2
          JOIN job_ends e ON e.job_id = s.id
        ), noted AS (${auditInsert('job.purge', 'job WHERE deleted = 1', entryFrom(4))}
        )
        SELECT id AS "jobId", org_id AS "orgId", topic, task, status FROM job WHERE deleted = 1`,
      values: [jobIds, orgId, jobIds.map(newId), ...auditValues(by).slice(1)],
    });
    return rows;
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
