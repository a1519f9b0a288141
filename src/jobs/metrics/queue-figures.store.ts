import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/database/database.js';

/** How many jobs of a task and an organization are in a state. */
export interface StateCount {
  readonly state: 'waiting' | 'delayed' | 'running';
  readonly topic: string;
  readonly task: string;
  readonly orgId: string;
  readonly jobs: number;
}

/** The queue at a moment, over all organizations. */
export interface QueueFigures {
  /** Of at most {@link MAX_READ} entries of each state. */
  readonly counts: readonly StateCount[];
  /** How many entries the queue has, waiting and delayed, by the statistics of the database: a guess. */
  readonly entries: number;
  /** Since the oldest job was submitted that waits for nothing but a worker; null: none does. */
  readonly oldestWaitingSeconds: number | null;
  readonly workers: { readonly running: number; readonly draining: number };
}

/** Entries that are read of each state, in the order of an index: more take longer than a scrape may. */
export const MAX_READ = 20_000;
/** Entries that are looked at for the oldest that is not delayed. */
const MAX_LOOKED_AT = 10_000;

/** Reads how much there is to do, in one statement whose cost has a bound however long the queue is. */
@Injectable()
export class QueueFiguresStore {
  constructor(private readonly database: Database) {}

  /** @param leaseSeconds a worker that was silent for longer is none */
  async read(leaseSeconds: number): Promise<QueueFigures> {
    const { rows } = await this.database.pool.query<{
      counts: StateCount[] | null;
      entries: number;
      oldest: number | null;
      running: number;
      draining: number;
    }>({
      name: 'read-queue-figures',
      text: `
        WITH waiting AS MATERIALIZED (
          SELECT org_id, topic, task, job_id FROM job_queue WHERE run_after IS NULL
          ORDER BY org_id, topic, task, urgency, job_id LIMIT ${MAX_READ}
        ), counted AS (
          SELECT 'waiting' AS state, topic, task, org_id, count(*)::int AS jobs FROM waiting GROUP BY topic, task, org_id
          UNION ALL
          SELECT 'delayed', topic, task, org_id, count(*)::int FROM (
            SELECT org_id, topic, task FROM job_queue WHERE run_after IS NOT NULL
            ORDER BY run_after LIMIT ${MAX_READ}) AS delayed GROUP BY topic, task, org_id
          UNION ALL
          SELECT 'running', topic, task, org_id, count(*)::int FROM (
            SELECT org_id, topic, task FROM job_leases ORDER BY job_id LIMIT ${MAX_READ}) AS lease
          GROUP BY topic, task, org_id
        ), oldest AS (
          SELECT coalesce(
            (SELECT job_id FROM (
               SELECT job_id, run_after FROM job_queue ORDER BY job_id LIMIT ${MAX_LOOKED_AT}) AS first
             WHERE run_after IS NULL ORDER BY job_id LIMIT 1),
            -- The first are all delayed: the oldest of those that were counted will do.
            (SELECT job_id FROM waiting ORDER BY job_id LIMIT 1)) AS job_id
        )
        SELECT
          (SELECT json_agg(json_build_object('state', state, 'topic', topic, 'task', task, 'orgId', org_id, 'jobs', jobs))
           FROM counted) AS counts,
          pg_stat_get_live_tuples('job_queue'::regclass)::float8 AS entries,
          (SELECT extract(epoch FROM clock_timestamp() - created_at)::float8 FROM job_submissions
           WHERE id = (SELECT job_id FROM oldest)) AS oldest,
          (SELECT count(*)::int FROM workers WHERE NOT draining AND beat_at > clock_timestamp() - $1 * interval '1 second') AS running,
          (SELECT count(*)::int FROM workers WHERE draining AND beat_at > clock_timestamp() - $1 * interval '1 second') AS draining`,
      values: [leaseSeconds],
    });
    const row = rows[0] as (typeof rows)[number];
    return {
      counts: row.counts ?? [],
      entries: row.entries,
      oldestWaitingSeconds: row.oldest,
      workers: { running: row.running, draining: row.draining },
    };
  }
}
