import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/database/database.js';

/** It reads all parameters, results and logs, but for the texts themselves. */
const PATIENCE = { statementMs: 900_000, answerMs: 910_000, connectMs: 5_000 };

/**
 * How much all organizations store, as far as the service itself has to care for it: in SQL, since what is
 * due is so by the database's clock, and sums are corrected by what they are.
 */
@Injectable()
export class UsageStore {
  constructor(private readonly database: Database) {}

  /**
   * Counts all again, and corrects the sums. What processes have stored in the second before and not
   * added yet is counted twice, until the next time.
   * @returns how many organizations were corrected; null when it is not due, or another replica is at it
   */
  async recount(pauseSeconds: number): Promise<number | null> {
    const due = await this.database.pool.query({
      name: 'recount-due',
      text: `
        UPDATE housekeeping SET due_at = clock_timestamp() + $1 * interval '1 second'
        WHERE name = 'recount' AND due_at <= clock_timestamp()`,
      values: [pauseSeconds],
    });
    if (due.rowCount === 0) {
      return null;
    }
    const connection = this.database.dedicatedConnection(PATIENCE);
    connection.on('error', () => undefined);
    try {
      await connection.connect();
      // Of one snapshot: what is added to a sum meanwhile stays added.
      const corrected = await connection.query(`
        INSERT INTO organization_usage AS usage (org_id, stored_bytes)
        SELECT org_id, sum(bytes) FROM (
          SELECT org_id, parameters_bytes::bigint AS bytes FROM job_submissions
          UNION ALL SELECT org_id, results_bytes FROM job_ends
          UNION ALL SELECT org_id, bytes FROM job_parameters
          UNION ALL SELECT org_id, bytes FROM job_results
          UNION ALL SELECT org_id, octet_length(text) FROM job_logs
          UNION ALL SELECT org_id, -stored_bytes FROM organization_usage) AS part
        GROUP BY org_id HAVING sum(bytes) <> 0 ORDER BY org_id
        ON CONFLICT (org_id) DO UPDATE SET stored_bytes = usage.stored_bytes + excluded.stored_bytes`);
      return corrected.rowCount ?? 0;
    } finally {
      await connection.end().catch(() => undefined);
    }
  }
}
