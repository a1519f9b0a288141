import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/database/database.js';

/** What one look at the oldest jobs came to. */
export interface Sweep {
  readonly deleted: number;
  /** All were looked at: the next pass begins later. */
  readonly finished: boolean;
}

/** The search for jobs whose time is over; all replicas share one place in it. */
@Injectable()
export class RetentionStore {
  constructor(private readonly database: Database) {}

  /**
   * Looks at the next jobs, oldest first, and deletes those whose time is over.
   * @param days how long jobs of organizations without a limit of their own are kept; 0: forever
   * @param limit how many jobs to look at
   * @param pauseSeconds how long to wait after the last job, until the next pass may begin
   * @returns null when it is not due, or another replica is at it
   */
  async sweep(days: number, limit: number, pauseSeconds: number): Promise<Sweep | null> {
    const { rows } = await this.database.pool.query<{ deleted: string; finished: boolean }>({
      name: 'delete-expired',
      text: `SELECT * FROM delete_expired_jobs($1, $2, $3 * interval '1 second')`,
      values: [days, limit, pauseSeconds],
    });
    const [row] = rows;
    return row === undefined ? null : { deleted: Number(row.deleted), finished: row.finished };
  }
}
