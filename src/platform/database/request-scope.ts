import type pg from 'pg';
import { UUID } from '../ids/uuid.js';

/** How a statement for clients is run. */
export interface RequestOptions {
  /** How long it may wait for each lock of another, in milliseconds; then it fails with 55P03. */
  readonly lockMs?: number;
  /** How the planner is to go about it; as it likes when it is not said. */
  readonly plan?: keyof typeof PLANS;
}

/**
 * Settings of the planner, which knows the average organization.
 * - `in order`: for statements that read the beginning of an index in its order. Of an organization that has
 *   most of the rows it would else read and sort them all to take the first.
 * - `by index`: for those that find few rows anywhere. It would else read all, to stop at a limit early.
 */
export const PLANS = {
  'in order':
    'SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off;',
  'by index': 'SET LOCAL enable_seqscan = off;',
} as const;

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
  { lockMs, plan }: RequestOptions = {},
): Promise<pg.QueryResult<Row>> {
  const patience = lockMs === undefined ? '' : `SET LOCAL lock_timeout = ${Math.ceil(lockMs)};`;
  const scope = scopeOf(organizations);
  const connection = await pool.connect();
  // Sent without waiting for each other. After a failed statement the commit rolls back.
  const [begun, answer, committed] = await Promise.allSettled([
    connection.query(`BEGIN; ${patience} ${plan === undefined ? '' : PLANS[plan]} ${scope}`),
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

/**
 * The rows of one query, each fetched when the one before has been taken: the memory they need is that
 * of one. All are of one snapshot. The connection is held until the last row, until the reader stops, or
 * until the database ends a transaction that has been idle for ten seconds.
 * @param organizations lower-case UUIDs
 * @throws whatever the query fails with
 */
export async function* readFor<Row extends pg.QueryResultRow>(
  pool: pg.Pool,
  organizations: readonly string[],
  { text, values }: { readonly text: string; readonly values: unknown[] },
): AsyncGenerator<Row> {
  const scope = scopeOf(organizations);
  const connection = await pool.connect();
  let broken: unknown = null;
  // An idle transaction that the database ends breaks the connection while nobody waits for an answer.
  const note = (error: Error): void => {
    broken = error;
  };
  connection.on('error', note);
  let ended = false;
  try {
    await connection.query(`BEGIN; ${scope}`);
    await connection.query(`DECLARE reading NO SCROLL CURSOR FOR ${text}`, values);
    for (;;) {
      const { rows } = await connection.query<Row>('FETCH 1 FROM reading');
      if (rows[0] === undefined) {
        break;
      }
      yield rows[0];
      if (broken !== null) {
        throw broken;
      }
    }
    await connection.query('COMMIT');
    ended = true;
  } finally {
    connection.off('error', note);
    // A reader that stopped leaves a transaction behind: the connection goes with it.
    connection.release(!ended);
  }
}

/** The statement that names whose rows the rest of the transaction is about. */
export function scopeOf(organizations: readonly string[]): string {
  const named = [...new Set(organizations)];
  if (named.length === 0 || !named.every((id) => UUID.test(id))) {
    throw new TypeError('organizations of a request must be lower-case UUIDs, and at least one');
  }
  return `SELECT set_config('headframe.organizations', '${named.join(',')}', true)`;
}
