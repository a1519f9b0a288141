import { Injectable } from '@nestjs/common';
import { Coalescer } from '../../../platform/database/coalescer.js';
import { Database } from '../../../platform/database/database.js';
import { isDatabaseUnavailable } from '../../../platform/database/database-errors.js';
import type { JobKey } from '../../job/job.js';
import type { JobState } from '../job-state.store.js';

/** What those who follow a job are told of it, as it was at one moment. */
export interface JobSnapshot extends JobKey, JobState {
  readonly attempt: number;
  readonly createdAt: Date;
  /** Of its last attempt; null: never started. */
  readonly startedAt: Date | null;
  readonly endedAt: Date | null;
  readonly labels: Readonly<Record<string, string>>;
  /** Another one for each state: see {@link JobSnapshotStore.changed}. */
  readonly mark: string;
}

type JobRef = Pick<JobKey, 'jobId' | 'orgId'>;

/** Of what may change, as the database computes it. */
const MARK =
  "hashtextextended(concat_ws(' ', job.status, job.progress, job.attempt, job.message), 0)";
/** Jobs that are looked at in one statement. */
const LOOKED_AT_ONCE = 500;

const COLUMNS = `job.id AS "jobId", job.org_id AS "orgId", job.topic, job.task, job.status, job.progress,
  job.message, job.error, job.attempt, job.created_at AS "createdAt", job.started_at AS "startedAt",
  job.ended_at AS "endedAt",
  coalesce((SELECT json_object_agg(label.name, label.value) FROM job_labels label WHERE label.job_id = job.id),
    '{}') AS labels, ${MARK}::text AS mark`;

/** Reads jobs for those who follow them: those that are asked for together in one statement. */
@Injectable()
export class JobSnapshotStore {
  private readonly reads: Coalescer<JobRef, JobSnapshot | null>;

  constructor(private readonly database: Database) {
    this.reads = new Coalescer({
      run: (keys) => this.readAll(keys),
      maxItems: 500,
      maxBatches: 2,
      retryAlone: (error) => !isDatabaseUnavailable(error),
    });
  }

  /** @returns null when the organization has no such job */
  read(key: JobRef): Promise<JobSnapshot | null> {
    return this.reads.submit(key);
  }

  /**
   * Which of the jobs are not as they were when they were read, or are gone: a fraction of what it costs to
   * read them all.
   */
  async changed<Seen extends JobRef & Pick<JobSnapshot, 'mark'>>(
    jobs: readonly Seen[],
  ): Promise<Seen[]> {
    // Those of one organization together: each statement names few.
    const ordered = [...jobs].sort((one, two) => (one.orgId < two.orgId ? -1 : 1));
    const changed: Seen[] = [];
    for (let from = 0; from < ordered.length; from += LOOKED_AT_ONCE) {
      const some = ordered.slice(from, from + LOOKED_AT_ONCE);
      const organizations = some.map(({ orgId }) => orgId);
      const { rows } = await this.database.queryFor<{ ordinals: number[] | null }>(organizations, {
        name: 'look-for-changed-jobs',
        text: `
          SELECT array_agg(asked.ordinal::int) AS ordinals
          FROM unnest($1::uuid[], $2::uuid[], $3::bigint[])
            WITH ORDINALITY AS asked(id, org_id, mark, ordinal)
          LEFT JOIN jobs job ON job.id = asked.id AND job.org_id = asked.org_id
          WHERE job.id IS NULL OR ${MARK} <> asked.mark`,
        values: [some.map(({ jobId }) => jobId), organizations, some.map(({ mark }) => mark)],
      });
      changed.push(...(rows[0]?.ordinals ?? []).map((ordinal) => some[ordinal - 1] as Seen));
    }
    return changed;
  }

  /** Jobs of an organization that run, and the oldest that wait: at most `limit` of each. */
  async ongoing(orgId: string, limit: number): Promise<JobSnapshot[]> {
    const { rows } = await this.database.queryFor<JobSnapshot>([orgId], {
      name: 'read-ongoing-jobs',
      text: `
        WITH ongoing AS MATERIALIZED (
          (SELECT job_id FROM job_leases WHERE org_id = $1 LIMIT $2)
          UNION
          (SELECT job_id FROM job_queue WHERE org_id = $1 AND run_after IS NULL LIMIT $2)
          UNION
          (SELECT job_id FROM job_queue WHERE org_id = $1 AND run_after IS NOT NULL LIMIT $2)
        )
        SELECT ${COLUMNS} FROM ongoing JOIN jobs job ON job.id = ongoing.job_id`,
      values: [orgId, limit],
    });
    return rows;
  }

  private async readAll(keys: readonly JobRef[]): Promise<(JobSnapshot | null)[]> {
    const organizations = keys.map(({ orgId }) => orgId);
    const { rows } = await this.database.queryFor<JobSnapshot>(organizations, {
      name: 'read-job-snapshots',
      text: `
        SELECT ${COLUMNS}
        FROM unnest($1::uuid[], $2::uuid[]) AS asked(id, org_id)
        JOIN jobs job ON job.id = asked.id AND job.org_id = asked.org_id`,
      values: [keys.map(({ jobId }) => jobId), organizations],
    });
    const found = new Map(rows.map((row) => [`${row.jobId} ${row.orgId}`, row]));
    return keys.map(({ jobId, orgId }) => found.get(`${jobId} ${orgId}`) ?? null);
  }
}
