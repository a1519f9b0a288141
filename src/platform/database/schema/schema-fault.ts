import type { Pool } from 'pg';
import { faultOfServer, SERVER_COLUMNS, type ServerState } from './server-fault.js';
import { adviceOnLostRoles } from './logins.js';
import type { Migration } from './migrations.js';

interface Row {
  readonly name: string;
  readonly finished: boolean;
  readonly logs: string | null;
}

/** What the database records of its migrations, and what its server says of itself: asked together, every few seconds. */
interface Recorded {
  readonly server: ServerState;
  readonly rows: readonly Row[];
}

/** PostgreSQL's code for a table that is not there. */
const NO_TABLE = '42P01';
const MIGRATE =
  'run "node dist/cli/migrate.js" of this build, or start a replica with MIGRATE=true';
const MEND = 'Restore it whole, roles first, into an empty database: see docs/backup.md.';

/**
 * Compares the database with what this build needs: a server that can be written to, and a schema that it
 * knows. A schema with migrations that this build does not
 * know fits, as they only add, unless one of them names as its oldest code a migration that this build
 * does not know either. What the migrations say must be there is looked for, too: a database that was
 * restored in part says of itself that it is migrated.
 * @param pool connections in the right of `headframe_api`
 * @returns why the database does not fit, and what to do; null when it fits
 * @throws what a statement fails with for other reasons, such as a database that is away
 */
export async function faultOfSchema(
  pool: Pool,
  migrations: readonly Migration[],
): Promise<string | null> {
  try {
    const { server, rows } = await recordIn(pool);
    return (
      faultOfServer(server) ??
      faultOfRecord(rows, migrations) ??
      (await faultOfObjects(pool, migrations))
    );
  } catch (error) {
    return (await faultBehind(error, pool)) ?? faultOfError(error);
  }
}

/** Before anybody is told to make a schema: on a server that can only be read nobody can. */
async function faultBehind(error: unknown, pool: Pool): Promise<string | null> {
  if ((error as { code?: string }).code !== NO_TABLE) {
    return null;
  }
  const { rows } = await pool.query<ServerState>(`SELECT ${SERVER_COLUMNS}`);
  return faultOfServer(rows[0] as ServerState);
}

async function recordIn(pool: Pool): Promise<Recorded> {
  type Joined = ServerState & { readonly [Name in keyof Row]: Row[Name] | null };
  const { rows } = await pool.query<Joined>(
    `SELECT ${SERVER_COLUMNS}, m.migration_name AS name, m.finished_at IS NOT NULL AS finished, m.logs
       FROM (SELECT) AS server LEFT JOIN _prisma_migrations m ON m.rolled_back_at IS NULL
       ORDER BY m.started_at`,
  );
  return {
    server: rows[0] as Joined,
    rows: rows.filter((row): row is ServerState & Row => row.name !== null),
  };
}

function faultOfRecord(rows: readonly Row[], migrations: readonly Migration[]): string | null {
  const known = new Set(migrations.map(({ name }) => name));
  const finished = new Set(rows.filter((row) => row.finished).map(({ name }) => name));
  if (finished.size === 0) {
    return `The database has no schema of this service yet: ${MIGRATE}.`;
  }
  const missing = [...known].filter((name) => !finished.has(name));
  if (missing.length > 0) {
    const begun = rows
      .filter((row) => !row.finished && known.has(row.name))
      .map(({ name }) => name);
    const note =
      begun.length > 0
        ? ` (${begun.join(', ')} was begun and did not finish: its row in _prisma_migrations says why)`
        : '';
    return `The database is older than this build: it lacks ${missing.join(', ')}${note}. To mend it, ${MIGRATE}.`;
  }
  const newest = [...known].toSorted().at(-1) ?? '';
  for (const { name, logs } of rows.filter((row) => !known.has(row.name))) {
    const oldest = /^oldest code: (\w+)/.exec(logs ?? '')?.[1];
    if (oldest !== undefined && oldest > newest) {
      return `The database is newer than this build can work with: its migration ${name} wants code that knows ${oldest}, and this build ends at ${newest}. Deploy a newer build.`;
    }
  }
  return null;
}

/** Looks for tables and functions, and for what a dump holds last: policies and grants. */
async function faultOfObjects(
  pool: Pool,
  migrations: readonly Migration[],
): Promise<string | null> {
  const { rows } = await pool.query<{ lost: string[] | null; bare: string[] | null }>(
    `SELECT (SELECT array_agg(name) FROM unnest($1::text[]) AS name WHERE to_regclass(name) IS NULL)
            || (SELECT array_agg(name) FROM unnest($2::text[]) AS name
                 WHERE NOT EXISTS (SELECT 1 FROM pg_proc WHERE proname = name)) AS lost,
            (SELECT array_agg(c.relname::text ORDER BY c.relname) FROM pg_class c
              WHERE c.oid = ANY (SELECT to_regclass(name) FROM unnest($1::text[]) AS name)
                AND (c.relrowsecurity AND NOT EXISTS (SELECT 1 FROM pg_policy WHERE polrelid = c.oid)
                     OR c.relname = 'job_queue' AND NOT
                        (has_table_privilege('headframe_api', c.oid, 'SELECT')
                         AND has_table_privilege('headframe_worker', c.oid, 'UPDATE')))) AS bare`,
    [namesOf(migrations, 'TABLE'), namesOf(migrations, 'FUNCTION')],
  );
  const { lost, bare } = rows[0] as (typeof rows)[number];
  if (lost !== null && lost.length > 0) {
    return `The database was restored in part: it says that it is migrated, and has no ${lost.join(', ')}. ${MEND}`;
  }
  return bare === null
    ? null
    : `The database was restored without its roles or in part: there are no policies or grants on ${bare.join(', ')}. ${MEND}`;
}

/** What the migrations make of a kind and do not drop again. */
function namesOf(migrations: readonly Migration[], kind: 'TABLE' | 'FUNCTION'): string[] {
  const statement = new RegExp(
    `^\\s*(CREATE|DROP|ALTER)(?: OR REPLACE)? ${kind} (?:IF (?:NOT )?EXISTS )?"?(\\w+)"?(?: RENAME TO (\\w+))?`,
    'gm',
  );
  const names = new Set<string>();
  for (const { sql } of migrations) {
    for (const [, verb, name, renamed] of sql.matchAll(statement)) {
      if (verb === 'CREATE') {
        names.add(name as string);
      } else if (verb === 'DROP' || renamed !== undefined) {
        names.delete(name as string);
      }
      if (renamed !== undefined) {
        names.add(renamed);
      }
    }
  }
  return [...names];
}

/** @throws the error, unless it tells of the schema */
function faultOfError(error: unknown): string {
  const { code, message } = error as { code?: string; message: string };
  const role = /role "(\w+)"/.exec(message)?.[1];
  switch (code ?? '') {
    case NO_TABLE:
    case '3F000':
      return `The database has no schema of this service, or its login may not use it (GRANT USAGE ON SCHEMA public): ${MIGRATE}.`;
    case '22023': // a session cannot begin in the right of a role that is not there
      if (role === undefined) {
        throw error;
      }
      return `The server has no role ${role}. If the database is new, ${MIGRATE}. Else: ${adviceOnLostRoles([role])}`;
    case '42501':
      return role === undefined
        ? `The database is older than this build, or was restored in part, as its roles lack rights (${message}). If it was never restored, ${MIGRATE}. Else restore it whole, roles first, into an empty database: see docs/backup.md.`
        : `The login may not act as ${role}: let an administrator run GRANT ${role} TO that login, or ${MIGRATE}.`;
    default:
      throw error;
  }
}
