import { Injectable } from '@nestjs/common';
import { Database } from '../platform/database/database.js';
import type { ClaimedJob } from './lease.store.js';

/** Whose turn it is in the ring of organizations; each worker keeps its own. */
export interface RingTurn {
  readonly cursor: string;
  readonly credit: number;
}

export interface Claim {
  readonly jobs: readonly ClaimedJob[];
  readonly turn: RingTurn;
  /** Another worker was claiming from an organization that was passed over: ask again soon. */
  readonly contended: boolean;
}

/** Parameters up to this many bytes, as they are stored, come with the claim. */
const PARAMETERS_WITH_CLAIM_BYTES = 4_096;

/** How a worker gets jobs. */
@Injectable()
export class ClaimStore {
  constructor(private readonly database: Database) {}

  /**
   * Transition `claim`: starts up to `limit` jobs of the given tasks, fairly between organizations,
   * and within one by priority, then age. Each worker process makes one call at a time.
   */
  async claim(
    workerId: string,
    tasks: readonly { readonly topic: string; readonly name: string }[],
    limit: number,
    turn: RingTurn,
  ): Promise<Claim> {
    const { rows } = await this.database.pool.query<ClaimRow>({
      name: 'claim-jobs',
      text: `
        SELECT claimed.*, CASE WHEN pg_column_size(kept.parameters) <= ${PARAMETERS_WITH_CLAIM_BYTES}
          THEN kept.parameters::text END AS parameters
        FROM claim_jobs($1, $2, $3, $4, $5, $6) AS claimed
        LEFT JOIN job_parameters kept ON kept.job_id = claimed.job_id`,
      values: [
        workerId,
        tasks.map(({ topic }) => topic),
        tasks.map(({ name }) => name),
        limit,
        turn.cursor,
        turn.credit,
      ],
    });
    const ring = rows.pop();
    if (ring === undefined || ring.ring_cursor === null) {
      throw new Error('claim_jobs answered no ring: are all migrations applied?');
    }
    return {
      jobs: rows.map(claimedJob),
      turn: { cursor: ring.ring_cursor, credit: ring.ring_credit },
      contended: ring.contended,
    };
  }

  /** The parameters of a job that the caller holds, as JSON text; null when they are gone. */
  async parameters(jobId: string): Promise<string | null> {
    const { rows } = await this.database.pool.query<{ parameters: string }>({
      name: 'read-parameters',
      text: 'SELECT parameters::text FROM job_parameters WHERE job_id = $1',
      values: [jobId],
    });
    return rows[0]?.parameters ?? null;
  }
}

interface ClaimRow {
  readonly job_id: string;
  readonly org_id: string;
  readonly topic: string;
  readonly task: string;
  readonly attempt: number;
  readonly lease_id: string;
  readonly timeout_seconds: number | null;
  readonly created_at: Date;
  readonly parameters: string | null;
  /** The ring's members are set in the last row alone. */
  readonly ring_cursor: string | null;
  readonly ring_credit: number;
  readonly contended: boolean;
}

const claimedJob = (row: ClaimRow): ClaimedJob => ({
  jobId: row.job_id,
  leaseId: row.lease_id,
  orgId: row.org_id,
  topic: row.topic,
  task: row.task,
  attempt: row.attempt,
  timeoutSeconds: row.timeout_seconds,
  createdAt: row.created_at,
  parameters: row.parameters,
});
