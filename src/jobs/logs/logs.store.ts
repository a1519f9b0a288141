import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/database/database.js';
import type { JobKey } from '../job/job.js';
import type { Lease } from '../lease/lease.store.js';

/** A stretch of what an attempt wrote to its log. */
export interface LogPiece {
  /** 1 for the first piece of the attempt; a gap says that too much was written to be kept. */
  readonly number: number;
  /** 1 to {@link MAX_PIECE} characters, without U+0000. */
  readonly text: string;
}

/** What one attempt has to add to its log. */
export interface LogAddition extends Lease {
  readonly pieces: readonly LogPiece[];
  /** Pieces of the attempt with a lower number are deleted. */
  readonly keepFrom: number;
}

/** Where a reader of a log has come to: after this piece of this attempt. */
export interface LogPlace {
  readonly attempt: number;
  readonly number: number;
}

export interface StoredLogPiece extends LogPiece, LogPlace {
  readonly at: Date;
}

/** Most characters of one piece. */
export const MAX_PIECE = 16_384;

/** The logs of jobs: written through the fence by the worker that holds the job, read by its organization. */
@Injectable()
export class JobLogsStore {
  constructor(private readonly database: Database) {}

  /**
   * Adds to the logs of many attempts in one statement. Repeating it changes nothing. Its commit does
   * not wait for the disk: a crash of the server may forget the last second.
   * @returns the leases that are still held; of the others nothing was written
   */
  async append(additions: readonly LogAddition[]): Promise<ReadonlySet<string>> {
    const pieces = additions.flatMap(({ leaseId, pieces: own }) =>
      own.map((piece) => ({ leaseId, ...piece })),
    );
    const { rows } = await this.database.pool.query<{ lease_id: string }>({
      name: 'append-logs',
      text: `
        WITH held AS MATERIALIZED (
          SELECT lease.job_id, lease.org_id, lease.attempt, lease.lease_id, addition.keep_from
          FROM unnest($1::uuid[], $2::uuid[], $3::int[]) AS addition(job_id, lease_id, keep_from)
            JOIN job_leases lease ON lease.job_id = addition.job_id AND lease.lease_id = addition.lease_id,
            (SELECT set_config('synchronous_commit', 'off', true)) AS asynchronous
        ), dropped AS (
          DELETE FROM job_logs log USING held
          WHERE log.job_id = held.job_id AND log.attempt = held.attempt AND log.number < held.keep_from
          RETURNING log.org_id, -octet_length(log.text) AS bytes
        ), added AS (
          INSERT INTO job_logs (job_id, attempt, number, org_id, text)
          SELECT held.job_id, held.attempt, piece.number, held.org_id, piece.text
          FROM unnest($4::uuid[], $5::int[], $6::text[]) AS piece(lease_id, number, text)
            JOIN held ON held.lease_id = piece.lease_id
          ON CONFLICT DO NOTHING
          RETURNING org_id, octet_length(text) AS bytes
        ), used AS (
          INSERT INTO organization_usage AS usage (org_id, stored_bytes)
          SELECT org_id, sum(bytes) FROM (SELECT * FROM added UNION ALL SELECT * FROM dropped) AS change
          GROUP BY org_id HAVING sum(bytes) <> 0 ORDER BY org_id
          ON CONFLICT (org_id) DO UPDATE SET stored_bytes = usage.stored_bytes + excluded.stored_bytes
        )
        SELECT lease_id FROM held`,
      values: [
        additions.map(({ jobId }) => jobId),
        additions.map(({ leaseId }) => leaseId),
        additions.map(({ keepFrom }) => keepFrom),
        pieces.map(({ leaseId }) => leaseId),
        pieces.map(({ number }) => number),
        pieces.map(({ text }) => text),
      ],
    });
    return new Set(rows.map((row) => row.lease_id));
  }

  /**
   * The log of a job, oldest first. In SQL: Prisma cannot compare a pair, (attempt, number), with the key.
   * @param limit most pieces
   */
  async read(
    { jobId, orgId }: JobKey,
    after: LogPlace,
    limit: number,
  ): Promise<readonly StoredLogPiece[]> {
    const { rows } = await this.database.queryFor<StoredLogPiece>([orgId], {
      name: 'read-logs',
      text: `
        SELECT attempt, number, at, text FROM job_logs
        WHERE job_id = $1 AND org_id = $2 AND (attempt, number) > ($3, $4)
        ORDER BY attempt, number LIMIT $5`,
      values: [jobId, orgId, after.attempt, after.number, limit],
    });
    return rows;
  }
}
