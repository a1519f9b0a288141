import type pg from 'pg';
import { UUID } from '../uuid.js';

/** How a statement for clients is run. */
export interface RequestOptions {
  /** How long it may wait for each lock of another, in milliseconds; then it fails with 55P03. */
  readonly lockMs?: number;
}

/**
 * Runs one statement in a transaction that sees and writes rows of these organizations and no others:
 * the policies of the tables read the setting. All of it goes to the database in one flight, so it
 * costs no round trip.
 * @param organizations lower-case UUIDs
 * @throws whatever the statement, or the commit, fails with; nothing was written then, unless the
 *   connection was lost on the way back
 */
export async function queryFor<Row extends pg.QueryResultRow>(
  pool: pg.Pool,
  organizations: readonly string[],
  statement: pg.QueryConfig,
  { lockMs }: RequestOptions = {},
): Promise<pg.QueryResult<Row>> {
  const patience = lockMs === undefined ? '' : `SET LOCAL lock_timeout = ${Math.ceil(lockMs)};`;
  const scope = scopeOf(organizations);
  const connection = await pool.connect();
  // Sent without waiting for each other. After a failed statement the commit rolls back.
  const [begun, answer, committed] = await Promise.allSettled([
    connection.query(`BEGIN; ${patience} ${scope}`),
    connection.query<Row>(statement),
    connection.query('COMMIT'),
  ]);
  const lost = [begun, committed].find((outcome) => outcome.status === 'rejected');
  connection.release(lost !== undefined);
  if (answer.status === 'rejected') {
    throw answer.reason;
  }
  if (lost !== undefined) {
    throw lost.reason;
  }
  return answer.value;
}

/** The statement that names whose rows the rest of the transaction is about. */
export function scopeOf(organizations: readonly string[]): string {
  const named = [...new Set(organizations)];
  if (named.length === 0 || !named.every((id) => UUID.test(id))) {
    throw new TypeError('organizations of a request must be lower-case UUIDs, and at least one');
  }
  return `SELECT set_config('headframe.organizations', '${named.join(',')}', true)`;
}
