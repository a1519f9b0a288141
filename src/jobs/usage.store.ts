import { Injectable } from '@nestjs/common';
import { Database } from '../platform/database/database.js';

/** First key of the advisory lock under which changes are summed up. */
const SUM_LOCK = 727_075;

/** How much organizations store, as far as the service itself has to care for it. */
@Injectable()
export class UsageStore {
  constructor(private readonly database: Database) {}

  /**
   * Adds the changes of all organizations to their sums. One replica at a time: others change nothing.
   * @returns of how many organizations
   */
  async sumUp(): Promise<number> {
    const { rowCount } = await this.database.pool.query({
      name: 'sum-up-usage',
      text: `
        WITH turn AS MATERIALIZED (
          SELECT pg_try_advisory_xact_lock(${SUM_LOCK}, 0) AS mine
          FROM (SELECT set_config('synchronous_commit', 'off', true)) AS asynchronous
        ), taken AS (
          DELETE FROM organization_usage_changes USING turn WHERE turn.mine RETURNING org_id, bytes
        )
        INSERT INTO organization_usage AS usage (org_id, stored_bytes)
        SELECT org_id, sum(bytes) FROM taken GROUP BY org_id
        ON CONFLICT (org_id) DO UPDATE SET stored_bytes = usage.stored_bytes + excluded.stored_bytes`,
    });
    return rowCount ?? 0;
  }
}
