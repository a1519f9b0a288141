import { Injectable } from '@nestjs/common';
import type { JobStatus } from '../job/job-status.js';
import { STATUS_SQL } from './search/job-tables.js';
import type { JobFilter } from './search/job-filter.js';
import { type Found, JobSearch } from './search/job-search.js';

/** A job as lists show it. */
export interface ListedJob {
  readonly id: string;
  readonly topic: string;
  readonly task: string;
  readonly status: JobStatus;
  readonly progress: number;
  readonly message: string | null;
  readonly labels: Readonly<Record<string, string>> | null;
  readonly priority: number;
  readonly attempt: number;
  readonly failures: number;
  readonly createdAt: Date;
  /** When its last attempt started. */
  readonly startedAt: Date | null;
  readonly endedAt: Date | null;
  /** Of one that waits: not before this moment. */
  readonly runAfter: Date | null;
  readonly error: { readonly status: number; readonly type: string; readonly title: string } | null;
}

/** Looks at so many jobs for one page, where indexes do not tell all that the filter says. */
const EXAMINE = 20_000;

const COLUMNS = `s.topic, s.task, ${STATUS_SQL} AS status,
  coalesce(e.progress, l.progress, 0)::int AS progress, coalesce(e.message, l.message) AS message,
  (SELECT json_object_agg(name, value ORDER BY name) FROM job_labels WHERE job_id = s.id) AS labels,
  s.priority::int, coalesce(e.attempt, l.attempt, q.attempt, 0) AS attempt,
  coalesce(e.failures, l.failures, q.failures, 0)::int AS failures, s.created_at AS "createdAt",
  coalesce(e.started_at, l.started_at, q.started_at) AS "startedAt", e.ended_at AS "endedAt",
  q.run_after AS "runAfter",
  CASE WHEN e.error IS NOT NULL THEN json_build_object('status', e.error->'status', 'type', e.error->'type',
    'title', e.error->'title') END AS error`;

/** Reads pages of an organization's jobs. */
@Injectable()
export class JobListStore {
  constructor(private readonly search: JobSearch) {}

  /**
   * @param before a cursor: only jobs before this one; null: from the newest
   * @param most how many; a page may have fewer although there are more, when they are rare
   */
  page(
    orgId: string,
    filter: JobFilter,
    before: string | null,
    most: number,
  ): Promise<Found<ListedJob>> {
    return this.search.find(orgId, filter, { before, most, examine: EXAMINE, columns: COLUMNS });
  }
}
