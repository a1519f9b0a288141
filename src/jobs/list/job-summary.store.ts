import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/database/database.js';
import type { JobStatus } from '../job/job-status.js';
import { STATUS_SQL } from './search/job-tables.js';
import { type JobFilter, takesAll } from './search/job-filter.js';
import { WAITING_GROUPS } from './search/index-groups.js';
import { JobSearch } from './search/job-search.js';

/** Counts of jobs. */
export interface JobSummary {
  readonly total: number;
  /** Seconds that the oldest job has waited which could start now; null: none waits. */
  readonly oldestWaiting: number | null;
  readonly byStatus: ReadonlyMap<JobStatus, number>;
  /** The most frequent first. */
  readonly byTask: readonly {
    readonly topic: string;
    readonly task: string;
    readonly count: number;
  }[];
  /** Whether there are more. */
  readonly truncated: boolean;
}

/** Counting stops here. */
export const MOST_COUNTED = 10_000;
/** Looks at so many jobs, where indexes do not tell all that the filter says. */
const EXAMINE = 40_000;

interface Row {
  readonly status: JobStatus;
  readonly topic: string;
  readonly task: string;
  /** Seconds that it has waited and could have started; null: it does not wait so. */
  readonly waiting: number | null;
}

const COLUMNS = `s.topic, s.task, ${STATUS_SQL} AS status,
  CASE WHEN q.job_id IS NOT NULL AND q.run_after IS NULL
    THEN extract(epoch FROM clock_timestamp() - s.created_at)::float8 END AS waiting`;

/** Counts the jobs of an organization: exactly up to ten thousand, and not beyond. */
@Injectable()
export class JobSummaryStore {
  constructor(
    private readonly search: JobSearch,
    private readonly database: Database,
  ) {}

  async of(orgId: string, filter: JobFilter): Promise<JobSummary> {
    const { jobs, next } = await this.search.find<Row>(orgId, filter, {
      before: null,
      most: MOST_COUNTED,
      examine: EXAMINE,
      columns: COLUMNS,
    });
    const byStatus = new Map<JobStatus, number>();
    const byTask = new Map<string, { topic: string; task: string; count: number }>();
    let oldest: number | null = null;
    for (const { status, topic, task, waiting } of jobs) {
      byStatus.set(status, (byStatus.get(status) ?? 0) + 1);
      const key = `${topic}/${task}`;
      byTask.set(key, { topic, task, count: (byTask.get(key)?.count ?? 0) + 1 });
      oldest = waiting === null ? oldest : Math.max(oldest ?? 0, waiting);
    }
    // The oldest is among what was not counted.
    const known = next !== null && narrowsByTaskAlone(filter);
    return {
      total: jobs.length,
      oldestWaiting: known ? await this.oldestWaiting(orgId, filter) : oldest,
      byStatus,
      byTask: [...byTask.values()].sort((one, other) => other.count - one.count),
      truncated: next !== null,
    };
  }

  /** The oldest that could start, of one task or of all: the first of each task and urgency, and of these the first. */
  private async oldestWaiting(orgId: string, { topic, task }: JobFilter): Promise<number | null> {
    const { rows } = await this.database.queryFor<{ seconds: number }>(
      [orgId],
      {
        name: 'read-oldest-waiting',
        text: `
        WITH part AS (${WAITING_GROUPS}
        ), oldest AS (
          SELECT first.job_id FROM part CROSS JOIN LATERAL (
            SELECT q.job_id FROM job_queue q WHERE q.org_id = $1 AND q.run_after IS NULL
              AND q.topic = part.topic AND q.task = part.task AND q.urgency = part.urgency
            ORDER BY q.job_id LIMIT 1) AS first
          WHERE ($2::text IS NULL OR part.topic = $2) AND ($3::text IS NULL OR part.task = $3)
          ORDER BY first.job_id LIMIT 1
        )
        SELECT extract(epoch FROM clock_timestamp() - s.created_at)::float8 AS seconds
        FROM oldest JOIN job_submissions s ON s.id = oldest.job_id`,
        values: [orgId, topic, task],
      },
      { plan: 'in order' },
    );
    return rows[0]?.seconds ?? null;
  }
}

/** Whether a filter says nothing that the queue's index does not tell. */
const narrowsByTaskAlone = (filter: JobFilter): boolean =>
  (filter.statuses === null || filter.statuses.includes('requested')) &&
  takesAll({ ...filter, statuses: null, topic: null, task: null });
