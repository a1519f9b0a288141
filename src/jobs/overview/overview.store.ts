import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/database/database.js';
import { KeptAnswers } from '../../platform/kept-answers.js';
import { STATUS_SQL } from '../list/search/job-tables.js';
import { ANY_JOB } from '../list/search/job-filter.js';
import { JobSearch } from '../list/search/job-search.js';
import { type JobsOverview, overviewOf, type PastJob } from './overview.js';

/** A process that runs jobs, as an organization may see it: its host and its other jobs are not theirs to know. */
export interface SeenWorker {
  readonly id: string;
  readonly version: string | null;
  readonly slots: number | null;
  /** Jobs of the organization. */
  readonly running: number;
  readonly draining: boolean;
  readonly beatSecondsAgo: number;
  readonly startedAt: Date;
}

/** How an organization's jobs went, and who runs them. */
export interface Seen extends JobsOverview {
  readonly counted: number;
  readonly truncated: boolean;
  readonly workers: readonly SeenWorker[];
}

/** The lengths that are told of: how long they are, and in how many parts. */
export const PERIODS = {
  hour: { seconds: 3_600, parts: 60 },
  day: { seconds: 86_400, parts: 96 },
} as const;
export type Period = keyof typeof PERIODS;

/** Looked at no more: what is told is of the newest, and says so. */
const MOST_COUNTED = 10_000;
const MAX_WORKERS = 200;
/** How long an answer is given again: pages of many people ask every few seconds. */
const BELIEVED_MS = 5_000;
/** Organizations beyond this many are forgotten, and read again. */
const MAX_REMEMBERED = 500;

/**
 * Sums up an organization's newest jobs. What it reads is bounded, whatever the organization has, and kept
 * for some seconds; those who ask meanwhile wait for the same answer.
 */
@Injectable()
export class OverviewStore {
  private readonly kept = new KeptAnswers<Seen>(BELIEVED_MS, MAX_REMEMBERED);

  constructor(
    private readonly search: JobSearch,
    private readonly database: Database,
  ) {}

  of(orgId: string, period: Period): Promise<Seen> {
    return this.kept.of(`${orgId} ${period}`, () => this.read(orgId, period));
  }

  private async read(orgId: string, period: Period): Promise<Seen> {
    const { seconds, parts } = PERIODS[period];
    const partMs = (seconds / parts) * 1_000;
    // Whole parts: a part that is beginning is the last one.
    const from = Math.ceil(Date.now() / partMs) * partMs - seconds * 1_000;
    const [{ jobs, next }, workers] = await Promise.all([
      this.search.find<PastJob>(
        orgId,
        { ...ANY_JOB, createdAfter: new Date(from) },
        {
          before: null,
          most: MOST_COUNTED,
          examine: MOST_COUNTED,
          columns: `s.topic, s.task, ${STATUS_SQL} AS status, s.created_at AS "createdAt",
            coalesce(e.started_at, l.started_at) AS "startedAt", e.ended_at AS "endedAt",
            coalesce(e.crashes, l.crashes, q.crashes, 0)::int AS crashes`,
        },
      ),
      this.workers(orgId),
    ]);
    return {
      ...overviewOf(jobs, from, parts, partMs),
      counted: jobs.length,
      truncated: next !== null,
      workers,
    };
  }

  /** Over all organizations, but for what runs: workers are no request's to see. */
  private async workers(orgId: string): Promise<readonly SeenWorker[]> {
    const { rows } = await this.database.pool.query<SeenWorker>({
      name: 'read-seen-workers',
      text: `
        SELECT w.id, p.program AS version, w.slots, w.draining, w.started_at AS "startedAt",
          greatest(0, extract(epoch FROM clock_timestamp() - w.beat_at))::float8 AS "beatSecondsAgo",
          (SELECT count(*) FROM job_leases l WHERE l.org_id = $1 AND l.worker_id = w.id)::int AS running
        FROM workers w LEFT JOIN worker_programs p ON p.worker_id = w.id
        ORDER BY w.started_at, w.id LIMIT ${MAX_WORKERS}`,
      values: [orgId],
    });
    return rows;
  }
}
