import type pg from 'pg';

/**
 * Whether a connection leads through a pooler: a server greets with the number of the process that it
 * started for the connection, a pooler with one of its own making.
 * @param connection that is connected
 */
export async function leadsThroughPooler(connection: pg.ClientBase): Promise<boolean> {
  const { rows } = await connection.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  return rows[0]?.pid !== (connection as unknown as { processID: number | null }).processID;
}

/**
 * What is wrong with the way to the database, if that is through a pooler.
 * @param settings what a session must have been begun with; a pooler does not pass them on
 * @param prepared whether the service knows of the pooler (`DATABASE_DIRECT_URL` is set)
 * @returns what to do; null when nothing is wrong
 * @throws what connecting or a statement fails with
 */
export async function faultOfPooler(
  pool: pg.Pool,
  settings: Readonly<Record<string, string>>,
  prepared: boolean,
): Promise<string | null> {
  let connection: pg.PoolClient;
  try {
    connection = await pool.connect();
  } catch (error) {
    return refusalIn(error);
  }
  try {
    return await faultOfWay(connection, settings, prepared);
  } finally {
    connection.release();
  }
}

/** @throws the error, unless a pooler ended the connection for what it was begun with */
function refusalIn(error: unknown): string {
  const { message } = error as Error;
  if (!message.includes('unsupported startup parameter')) {
    throw error;
  }
  return `The connection pooler refuses the settings of sessions (${message}): let it ignore them, with ignore_startup_parameters = options,extra_float_digits in PgBouncer's configuration, and see docs/operations.md#connection-poolers.`;
}

async function faultOfWay(
  connection: pg.ClientBase,
  settings: Readonly<Record<string, string>>,
  prepared: boolean,
): Promise<string | null> {
  if (!(await leadsThroughPooler(connection))) {
    return null;
  }
  if (!prepared) {
    return `The database is reached through a connection pooler, which loses notifications, locks and named statements. Set DATABASE_DIRECT_URL to the address of the server itself, and see docs/operations.md#connection-poolers.`;
  }
  // The view has values in the units that they are set in, and does not have the role.
  const { rows } = await connection.query<{ login: string; amiss: string[] }>(
    `SELECT session_user AS login,
            ARRAY(SELECT wanted.name FROM unnest($1::text[], $2::text[]) AS wanted (name, value)
                    LEFT JOIN pg_settings AS given ON given.name = wanted.name
                   WHERE coalesce(given.setting, current_setting(wanted.name)) <> wanted.value) AS amiss`,
    [Object.keys(settings), Object.values(settings)],
  );
  const { login, amiss } = rows[0] as (typeof rows)[number];
  return amiss.length === 0
    ? null
    : `The pooler does not pass on the settings of sessions, and its login ${login} does not bring them along: ${amiss.join(', ')}. Run "node dist/cli/migrate.js" with DATABASE_DIRECT_URL set, then make the pooler connect anew (RECONNECT in PgBouncer's console): see docs/operations.md#connection-poolers.`;
}
