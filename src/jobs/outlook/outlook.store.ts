import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../platform/config.js';
import { Database } from '../../platform/database/database.js';
import { KeptAnswers } from '../../platform/kept-answers.js';
import { WAITING_GROUPS } from '../list/search/index-groups.js';
import {
  NO_OUTLOOK,
  type OngoingJob,
  type OrganizationOutlook,
  type Outlook,
  outlookOf,
  type TaskOutlook,
} from './outlook.js';

/** How long what was read is believed: outlooks are a guess, and pages of lists come in rows. */
const BELIEVED_MS = 1_000;
/** How long it is believed how long jobs of a task run. */
const RUN_TIME_BELIEVED_MS = 10_000;
/** Organizations and tasks beyond this many are forgotten, and read again. */
const MAX_REMEMBERED = 2_000;
/** So many of those that wait are put in their order. */
const NEXT = 1_000;
/** Fewer successes than this tell nothing of the next, and more than so many are not looked at. */
const LEAST_RUNS = 3;
const RUNS = 50;

/**
 * Tells why jobs wait and how long they will. A guess from what is seen at the moment: nothing hangs on it,
 * and what it reads is bounded and kept for a second.
 */
@Injectable()
export class OutlookStore {
  private readonly organizations = new KeptAnswers<OrganizationOutlook>(
    BELIEVED_MS,
    MAX_REMEMBERED,
  );
  private readonly tasks = new KeptAnswers<Omit<TaskOutlook, 'runSeconds'>>(
    BELIEVED_MS,
    MAX_REMEMBERED,
  );
  private readonly runTimes = new KeptAnswers<number | null>(RUN_TIME_BELIEVED_MS, MAX_REMEMBERED);

  constructor(
    private readonly database: Database,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** @returns the outlooks of the jobs, in their order; of those that have ended there is nothing to tell */
  async of(orgId: string, jobs: readonly OngoingJob[]): Promise<readonly Outlook[]> {
    const ongoing = jobs.filter(({ status }) => status === 'requested' || status === 'in progress');
    if (ongoing.length === 0) {
      return jobs.map(() => NO_OUTLOOK);
    }
    const addresses = new Map(
      ongoing.map(({ topic, task }) => [`${topic}/${task}`, { topic, task }]),
    );
    const organization = this.organization(orgId);
    const tasks = new Map(
      await Promise.all(
        [...addresses].map(async ([key, { topic, task }]) => {
          const [state, runSeconds] = await Promise.all([
            this.task(topic, task),
            this.runTime(orgId, topic, task),
          ]);
          return [key, { ...state, runSeconds }] as const;
        }),
      ),
    );
    const seen = await organization;
    return jobs.map((job) => {
      const task = tasks.get(`${job.topic}/${job.task}`);
      return task === undefined ? NO_OUTLOOK : outlookOf(job, task, seen);
    });
  }

  private organization(orgId: string): Promise<OrganizationOutlook> {
    return this.organizations.of(orgId, async () => {
      const { rows } = await this.database.queryFor<{
        now: Date;
        full: boolean;
        running: number;
        next: string[] | null;
      }>(
        [orgId],
        {
          name: 'read-organization-outlook',
          text: `
          WITH part AS (${WAITING_GROUPS}
          ), next AS (
            SELECT member.* FROM part CROSS JOIN LATERAL (
              SELECT q.urgency, q.job_id FROM job_queue q WHERE q.org_id = $1 AND q.run_after IS NULL
                AND q.topic = part.topic AND q.task = part.task AND q.urgency = part.urgency
              ORDER BY q.job_id LIMIT ${NEXT}) AS member
            ORDER BY urgency, job_id LIMIT ${NEXT}
          )
          SELECT clock_timestamp() AS now, running.count AS running,
            coalesce(running.count >= (SELECT max_running FROM effective_limits($1)), false) AS full,
            (SELECT array_agg(job_id::text ORDER BY urgency, job_id) FROM next) AS next
          FROM (SELECT count(*)::int AS count FROM job_leases WHERE org_id = $1) AS running`,
          values: [orgId],
        },
        { plan: 'in order' },
      );
      const row = rows[0] as (typeof rows)[number];
      return { ...row, next: new Map((row.next ?? []).map((id, place) => [id, place])) };
    });
  }

  /** Over all organizations: workers and what runs of the others are no request's to see. */
  private task(topic: string, task: string): Promise<Omit<TaskOutlook, 'runSeconds'>> {
    return this.tasks.of(`${topic}/${task}`, async () => {
      const { rows } = await this.database.pool.query<{ served: boolean; full: boolean }>({
        name: 'read-task-outlook',
        text: `
          SELECT EXISTS (SELECT 1 FROM workers w WHERE NOT w.draining
              AND w.beat_at > clock_timestamp() - $3 * interval '1 second'
              AND (w.tasks IS NULL OR $1 || '/' || $2 = ANY (w.tasks))) AS served,
            coalesce((SELECT capped.max_running <= (
                SELECT count(*) FROM job_leases l WHERE l.topic = $1 AND l.task = $2)
              FROM task_limits capped WHERE capped.topic = $1 AND capped.task = $2), false) AS full`,
        values: [topic, task, this.config.LEASE_SECONDS],
      });
      return rows[0] as { served: boolean; full: boolean };
    });
  }

  /** Of those submitted before the oldest that waits: newer ones may all be waiting. */
  private runTime(orgId: string, topic: string, task: string): Promise<number | null> {
    return this.runTimes.of(`${orgId}/${topic}/${task}`, async () => {
      const { rows } = await this.database.queryFor<{ seconds: number | null }>(
        [orgId],
        {
          name: 'read-run-time',
          text: `
          SELECT CASE WHEN count(*) >= ${LEAST_RUNS}
            THEN percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM e.ended_at - e.started_at))
          END::float8 AS seconds
          FROM (
            SELECT s.id FROM job_submissions s WHERE s.org_id = $1 AND s.topic = $2 AND s.task = $3
              AND s.id <= coalesce(
                (SELECT q.job_id FROM job_queue q WHERE q.org_id = $1 AND q.topic = $2 AND q.task = $3
                   AND q.run_after IS NULL ORDER BY q.urgency, q.job_id LIMIT 1),
                'ffffffff-ffff-ffff-ffff-ffffffffffff')
            ORDER BY s.id DESC LIMIT ${RUNS}
          ) AS last JOIN job_ends e ON e.job_id = last.id AND e.status = 'succeeded'`,
          values: [orgId, topic, task],
        },
        { plan: 'in order' },
      );
      return rows[0]?.seconds ?? null;
    });
  }
}
