import { Injectable, Logger } from '@nestjs/common';
import { Database } from '../../platform/database/database.js';
import type { ClaimedJob } from './lease.store.js';

/** Whose turn it is in the ring of organizations; each worker keeps its own. */
export interface RingTurn {
  readonly cursor: string;
  readonly credit: number;
  /** Where the last claim ended, if it was full; absent: the next one looks from the beginning. */
  readonly behind?: Behind;
}

/** Of the organization at the cursor, the job that was claimed last. */
interface Behind {
  /** Minus its priority. */
  readonly urgency: number;
  readonly jobId: string;
  /** When claims looked from the beginning last: milliseconds of the monotonic clock. */
  readonly since: number;
}

/**
 * For so long claims of a backlog go on behind the one before, without looking at what came back or came in
 * ahead of it. Each look from the beginning reads the dead entries of all that was claimed since a vacuum.
 */
const BEHIND_MS = 500;

export interface Claim {
  readonly jobs: readonly ClaimedJob[];
  readonly turn: RingTurn;
  /** Another worker was claiming what was passed over: ask again soon. */
  readonly contended: boolean;
}

/**
 * What stands between the fields and the records of an answer: neither occurs in an id, a task or a
 * JSON document. One string for a claim of hundreds costs this process a third of what rows would.
 */
const FIELD = '\\x01';
const RECORD = '\\x02';
const CLAIM_COLUMNS = `job_id, org_id, topic, task, urgency, attempt, crashes, lease_id, timeout_seconds,
  created_at, parameters, ring_cursor, ring_credit, contended`;

/** Behind the fields: its place, 55 characters; or that there is none; empty: the statement began before the submit. */
const TRACE_FIELD = `, E'${FIELD}', (
              SELECT CASE WHEN length(s.traceparent) = 55 THEN s.traceparent ELSE '-' END
              FROM job_submissions s WHERE s.id = job_id)`;

/** How a worker gets jobs. */
@Injectable()
export class ClaimStore {
  private readonly logger = new Logger('ClaimStore');

  constructor(private readonly database: Database) {}

  /**
   * Transition `claim`: starts up to `limit` jobs of the given tasks, fairly between organizations,
   * and within one by priority, then age. Each worker process makes one call at a time. The SQL in
   * force is in prisma/current/functions/claim_jobs.sql.
   * @param lastChances how many of them may be jobs that one more crash would fail
   * @param traced whether to read where their submits stand in traces: nobody pays for that who does not trace
   */
  async claim(
    workerId: string,
    tasks: readonly { readonly topic: string; readonly name: string }[],
    limit: number,
    turn: RingTurn,
    lastChances: number = limit,
    traced = false,
  ): Promise<Claim> {
    const asked = performance.now();
    const behind = asked - (turn.behind?.since ?? asked) < BEHIND_MS ? turn.behind : undefined;
    const { rows } = await this.database.pool.query<ClaimAnswer>({
      name: traced ? 'claim-traced-jobs' : 'claim-jobs',
      text: `
        SELECT max(ring_cursor::text) AS ring_cursor, max(ring_credit) AS ring_credit,
          bool_or(contended) AS contended,
          string_agg(concat(urgency, E'${FIELD}', job_id, E'${FIELD}', lease_id, E'${FIELD}', org_id,
            E'${FIELD}', topic, E'${FIELD}', task, E'${FIELD}', attempt, E'${FIELD}', crashes,
            E'${FIELD}', timeout_seconds,
            E'${FIELD}', round(extract(epoch FROM clock_timestamp() - created_at) * 1000),
            E'${FIELD}', parameters${traced ? TRACE_FIELD : ''}), E'${RECORD}' ORDER BY ordinal)
            FILTER (WHERE job_id IS NOT NULL) AS jobs
        FROM claim_jobs($1, $2, $3, $4, $5, $6, $7, $8, $9) WITH ORDINALITY AS claimed(${CLAIM_COLUMNS}, ordinal)`,
      values: [
        workerId,
        tasks.map(({ topic }) => topic),
        tasks.map(({ name }) => name),
        limit,
        turn.cursor,
        turn.credit,
        lastChances,
        behind?.urgency ?? null,
        behind?.jobId ?? null,
      ],
    });
    const answer = rows[0] as ClaimAnswer;
    const records = answer.jobs?.split('\u0002') ?? [];
    const jobs = records.map(claimedJob);
    const last = jobs.at(-1);
    if (traced) {
      await this.addTraces(jobs.filter(({ traceparent }) => traceparent === ''));
    }
    return {
      jobs,
      turn: {
        cursor: answer.ring_cursor,
        credit: answer.ring_credit,
        ...(last?.orgId === answer.ring_cursor &&
          jobs.length === limit && {
            behind: {
              urgency: Number.parseInt(records.at(-1) as string, 10),
              jobId: last.jobId,
              since: behind?.since ?? asked,
            },
          }),
      },
      contended: answer.contended,
    };
  }

  /**
   * Adds where their submits stand in traces to jobs that were submitted while they were claimed: a claim sees
   * them, the statement around it does not. Where that cannot be read, jobs run without.
   */
  private async addTraces(jobs: readonly ClaimedJob[]): Promise<void> {
    if (jobs.length === 0) {
      return;
    }
    const places = new Map<string, string>();
    try {
      const { rows } = await this.database.pool.query<{ id: string; traceparent: string }>({
        name: 'read-traceparents',
        text: 'SELECT id, traceparent FROM job_submissions WHERE id = ANY ($1::uuid[]) AND length(traceparent) = 55',
        values: [jobs.map(({ jobId }) => jobId)],
      });
      rows.forEach(({ id, traceparent }) => places.set(id, traceparent));
    } catch (error) {
      this.logger.warn({ err: error }, 'traces of claimed jobs could not be read');
    }
    jobs.forEach((job) => (job.traceparent = places.get(job.jobId) ?? null));
  }

  /** The large parameters of a job that the caller holds, as JSON text; null when they are gone. */
  async parameters(jobId: string): Promise<string | null> {
    const { rows } = await this.database.pool.query<{ parameters: string }>({
      name: 'read-parameters',
      text: 'SELECT parameters::text FROM job_parameters WHERE job_id = $1',
      values: [jobId],
    });
    return rows[0]?.parameters ?? null;
  }
}

interface ClaimAnswer {
  /** Records of fields; null when there are none. */
  readonly jobs: string | null;
  readonly ring_cursor: string;
  readonly ring_credit: number;
  readonly contended: boolean;
}

function claimedJob(record: string): ClaimedJob {
  const [
    ,
    jobId = '',
    leaseId = '',
    orgId = '',
    topic = '',
    task = '',
    attempt = '',
    crashes = '',
    timeout,
    waitedMs,
    parameters,
    traceparent,
  ] = record.split('\u0001');
  return {
    jobId,
    leaseId,
    orgId,
    topic,
    task,
    attempt: Number(attempt),
    crashes: Number(crashes),
    timeoutSeconds: timeout === '' ? null : Number(timeout),
    waitedMs: Number(waitedMs),
    parameters: parameters === '' ? null : (parameters ?? null),
    traceparent: traceparent === '-' ? null : (traceparent ?? null),
  };
}
