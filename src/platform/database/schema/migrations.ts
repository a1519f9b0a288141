import { createHash, randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client, DatabaseError } from 'pg';
import { ADVISORY_LOCKS } from '../advisory-locks.js';
import { leadsThroughPooler } from '../connections/pooler.js';
import { outlastRaces } from './catalog-races.js';

/** `prisma/migrations` of this package; the same from src/ and dist/, whatever the current folder. */
export const MIGRATIONS_DIRECTORY = fileURLToPath(
  new URL('../../../../prisma/migrations', import.meta.url),
);

/** The database could not be brought up to date. The message says what to do next. */
export class MigrationError extends Error {
  override name = 'MigrationError';
}

export interface MigrationOptions {
  /** A direct connection: the lock is a session's, which a transaction-mode pooler would lose. */
  connectionString: string;
  /** Default: {@link MIGRATIONS_DIRECTORY}. */
  directory?: string;
  log: (message: string) => void;
  /** How long to wait for a database that does not answer yet. Default 30,000 ms. */
  connectPatienceMs?: number;
  /** Looks at the database under the lock, before anything is changed. */
  beforehand?: (client: Client) => Promise<void>;
  /** What else only one process may do at a time: run under the lock, after the last migration. */
  afterwards?: (client: Client) => Promise<void>;
}

/** A migration as this build has it. */
export interface Migration {
  readonly name: string;
  readonly sql: string;
}

interface Recorded {
  migration_name: string;
  checksum: string;
  finished: boolean;
  logs: string | null;
}

const LOCK_POLL_MS = 100;
const CONNECT_PATIENCE_MS = 30_000;
const CONNECT_EVERY_MS = 250;
const LOG_EVERY_MS = 5_000;

/** Prisma's table, as its engine makes it. */
const TABLE = `
  CREATE TABLE _prisma_migrations (
    id                  VARCHAR(36) PRIMARY KEY NOT NULL,
    checksum            VARCHAR(64) NOT NULL,
    finished_at         TIMESTAMPTZ,
    migration_name      VARCHAR(255) NOT NULL,
    logs                TEXT,
    rolled_back_at      TIMESTAMPTZ,
    started_at          TIMESTAMPTZ NOT NULL DEFAULT now(),
    applied_steps_count INTEGER NOT NULL DEFAULT 0
  )`;

/**
 * A first line `-- no transaction` is for statements that PostgreSQL refuses inside one
 * (CREATE INDEX CONCURRENTLY): one statement a file, and a kill half-way needs a person.
 */
const NO_TRANSACTION = /^\s*-- no transaction\b/;

/**
 * A line `-- oldest code: <migration>` in a migration that takes something away: builds that do not
 * know the migration it names cannot work with the schema any more. It is kept in the row's `logs`,
 * since old builds do not have the file.
 */
const OLDEST_CODE = /^-- (oldest code: \w+)\s*$/m;

/**
 * SQLSTATEs, as a failed row's log begins with them, of causes outside the file and the data: missing
 * rights, resources, locks, shutdowns, races, a server that is only read. A migration in a transaction
 * that failed so has left nothing, and runs again at the next start.
 */
const CAUSE_OUTSIDE = /^SQLSTATE (42501|53...|55P03|57...|40...|08...|25006)/;

/**
 * Applies the migrations that the database has not seen, in the order of their names.
 *
 * One process at a time, by an advisory lock; the others wait and find nothing left to do. A
 * migration and its row in `_prisma_migrations` are one transaction: killed half-way it never
 * happened, and the next start does it again. A migration that fails leaves a row with the reason,
 * and nothing is applied until someone has looked (as with Prisma's own tools), unless the cause was
 * outside it, such as a missing right: then it runs again at the next start.
 *
 * Throws MigrationError: the database does not answer, a migration fails or failed before, or an
 * applied file was edited. Migrations that only the database knows are no error: during a rolling
 * deployment old code runs beside a newer schema.
 *
 * @returns the names applied by this call
 */
export async function applyMigrations(options: MigrationOptions): Promise<{ applied: string[] }> {
  const { log } = options;
  const migrations = await readMigrations(options.directory);
  const client = await connect(options);
  try {
    await client.query(`SET statement_timeout = 0; SET lock_timeout = 0; SET TimeZone = 'UTC'`);
    await takeLock(client, log);
    await options.beforehand?.(client);
    const recorded = await retryable(client, await readRecorded(client), migrations, log);
    assertNoneFailed(recorded);
    assertUnedited(recorded, migrations);
    warnOfUnknown(recorded, migrations, log);
    const seen = new Set(recorded.map((row) => row.migration_name));
    const applied: string[] = [];
    for (const migration of migrations.filter(({ name }) => !seen.has(name))) {
      const start = performance.now();
      await apply(client, migration);
      log(`Applied migration ${migration.name} in ${Math.round(performance.now() - start)} ms`);
      applied.push(migration.name);
    }
    await options.afterwards?.(client);
    return { applied };
  } finally {
    await client.end().catch(() => {}); // the lock goes with the session
  }
}

/**
 * The migrations that this build knows, oldest first.
 * @throws MigrationError when there are none, or one cannot be read
 */
export async function readMigrations(directory = MIGRATIONS_DIRECTORY): Promise<Migration[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  if (names.length === 0) throw new MigrationError(`There are no migrations in ${directory}.`);
  return Promise.all(
    names.toSorted().map(async (name) => {
      const file = join(directory, name, 'migration.sql');
      try {
        return { name, sql: await readFile(file, 'utf8') };
      } catch (error) {
        throw new MigrationError(`Cannot read the migration ${file}.`, { cause: error });
      }
    }),
  );
}

async function connect(options: MigrationOptions): Promise<Client> {
  const { connectionString, log, connectPatienceMs = CONNECT_PATIENCE_MS } = options;
  const deadline = Date.now() + connectPatienceMs;
  let nextLog = 0;
  for (;;) {
    const client = new Client({
      connectionString,
      application_name: 'headframe: migrations',
      connectionTimeoutMillis: 10_000,
      keepAlive: true,
    });
    client.on('error', () => {}); // a lost connection also rejects the query that runs
    try {
      await client.connect();
      if (await leadsThroughPooler(client)) {
        throw new MigrationError(THROUGH_POOLER);
      }
      return client;
    } catch (error) {
      await client.end().catch(() => {});
      if (error instanceof MigrationError) {
        throw error;
      }
      const reason = reasonOf(error);
      if (!mayPass(error) || Date.now() >= deadline) {
        throw new MigrationError(
          `Cannot connect to the database: ${reason}. Check DATABASE_URL and that the server runs.`,
          { cause: error },
        );
      }
      if (Date.now() >= nextLog) {
        log(`Waiting for the database: ${reason}`);
        nextLog = Date.now() + LOG_EVERY_MS;
      }
      await sleep(CONNECT_EVERY_MS);
    }
  }
}

const THROUGH_POOLER =
  'The address for migrations leads through a connection pooler, which loses the lock that keeps two migrations apart: set DATABASE_OWNER_URL to the address of the server itself.';

/** Whether a server that is only just starting (or its name in a container network) answers like this. */
function mayPass(error: unknown): boolean {
  const { code, message } = error as { code?: string; message: string };
  const startingUp = code === '57P03' || code === '53300';
  const network = /^(ECONNREFUSED|ECONNRESET|ETIMEDOUT|EHOSTUNREACH|ENOTFOUND|EAI_AGAIN|EPIPE)$/;
  return startingUp || network.test(code ?? '') || /terminated|timeout/i.test(message);
}

/** A refused connection to a name with two addresses is an AggregateError without a message. */
function reasonOf(error: unknown): string {
  const { message, code } = error as { message?: string; code?: string };
  return message || code || String(error);
}

/**
 * Asks again and again instead of waiting inside the database: a waiting statement holds a
 * snapshot, for which a CREATE INDEX CONCURRENTLY of the lock's holder would wait in turn.
 */
async function takeLock(client: Client, log: (message: string) => void): Promise<void> {
  let nextLog = Date.now() + LOG_EVERY_MS;
  for (;;) {
    const { rows } = await client.query<{ mine: boolean }>(
      'SELECT pg_try_advisory_lock($1) AS mine',
      [ADVISORY_LOCKS.migrations],
    );
    if (rows[0]?.mine) return;
    if (Date.now() >= nextLog) {
      log('Waiting for another process that is migrating the database');
      nextLog = Date.now() + LOG_EVERY_MS;
    }
    await sleep(LOCK_POLL_MS);
  }
}

/** What the table says, without the rows that someone marked as rolled back. */
async function readRecorded(client: Client): Promise<Recorded[]> {
  try {
    const { rows: found } = await client.query<{ there: boolean }>(
      `SELECT to_regclass('_prisma_migrations') IS NOT NULL AS there`,
    );
    if (!found[0]?.there) await client.query(TABLE);
    const { rows } = await client.query<Recorded>(
      `SELECT migration_name, checksum, finished_at IS NOT NULL AS finished, logs
         FROM _prisma_migrations WHERE rolled_back_at IS NULL ORDER BY started_at`,
    );
    return rows;
  } catch (error) {
    const { code } = error as { code?: string };
    // No right on the schema or on the table, or no schema that it may see at all.
    if (code !== '42501' && code !== '3F000') throw error;
    throw new MigrationError(await adviceOnRights(client), { cause: error });
  }
}

async function adviceOnRights(client: Client): Promise<string> {
  const { rows } = await client.query<{ login: string; database: string; owner: string | null }>(
    `SELECT current_user AS login, current_database() AS database,
            (SELECT tableowner FROM pg_tables WHERE tablename = '_prisma_migrations' LIMIT 1) AS owner`,
  );
  const { login, database, owner } = rows[0] as (typeof rows)[number];
  const quoted = client.escapeIdentifier(login);
  return owner !== null && owner !== login
    ? `The login "${login}" may not migrate the database "${database}": its tables belong to "${owner}". ` +
        `Migrate with that login (DATABASE_OWNER_URL, else DATABASE_URL), or start with MIGRATE=false.`
    : `The login "${login}" may not make tables in the database "${database}". ` +
        `Let an administrator run, in that database: GRANT USAGE, CREATE ON SCHEMA public TO ${quoted}; ` +
        `or migrate with a login that may (DATABASE_OWNER_URL).`;
}

function assertNoneFailed(recorded: Recorded[]): void {
  const failed = recorded.find((row) => !row.finished);
  if (!failed) return;
  throw new MigrationError(
    `Migration ${failed.migration_name} failed earlier${failed.logs ? ` (${failed.logs.split('\n')[0]})` : ''}, ` +
      `so nothing is applied until someone has looked. ` +
      `When its cause is gone and the database is as it was before, let it run again with:\n` +
      `  UPDATE _prisma_migrations SET rolled_back_at = now() WHERE migration_name = '${failed.migration_name}' AND finished_at IS NULL;`,
  );
}

function assertUnedited(recorded: Recorded[], migrations: Migration[]): void {
  for (const { name, sql } of migrations) {
    const row = recorded.find((candidate) => candidate.migration_name === name);
    if (!row || spellings(sql).some((spelling) => checksum(spelling) === row.checksum)) continue;
    throw new MigrationError(
      `Migration ${name} was edited after it had been applied to this database. ` +
        `Restore the file as it was, and put the change into a new migration (npm run migration -- <name>).`,
    );
  }
}

/** Git may have turned line ends into Windows' or back: that is no edit. */
function spellings(sql: string): string[] {
  const unix = sql.replaceAll('\r\n', '\n');
  return [sql, unix, unix.replaceAll('\n', '\r\n')];
}

function checksum(sql: string): string {
  return createHash('sha256').update(sql).digest('hex');
}

function warnOfUnknown(
  recorded: Recorded[],
  migrations: Migration[],
  log: (message: string) => void,
): void {
  const known = new Set(migrations.map(({ name }) => name));
  const unknown = recorded.map((row) => row.migration_name).filter((name) => !known.has(name));
  if (unknown.length > 0) {
    log(`The database is newer than this build: it also has ${unknown.join(', ')}`);
  }
}

const INSERT = `INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at)
                VALUES ($1, $2, $3, clock_timestamp()) ON CONFLICT (id) DO NOTHING`;

async function apply(client: Client, migration: Migration): Promise<void> {
  const once = () => applyOnce(client, migration);
  try {
    await (NO_TRANSACTION.test(migration.sql) ? once() : outlastRaces(once));
  } catch (error) {
    await recordFailure(client, migration, error);
  }
}

/** Applies a migration, and leaves the session outside a transaction, however it ends. */
async function applyOnce(client: Client, migration: Migration): Promise<void> {
  const id = randomUUID();
  const inTransaction = !NO_TRANSACTION.test(migration.sql);
  try {
    if (inTransaction) await client.query('BEGIN');
    await client.query(INSERT, [id, checksum(migration.sql), migration.name]);
    await client.query(migration.sql); // no parameters: the simple protocol, the file whole
    await client.query(
      `UPDATE _prisma_migrations SET finished_at = clock_timestamp(), applied_steps_count = 1, logs = $2
        WHERE id = $1`,
      [id, OLDEST_CODE.exec(migration.sql)?.[1] ?? null],
    );
    if (inTransaction) await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {}); // the connection itself was lost: no row
    throw error;
  }
}

/** Keeps the reason of a failure in the migration's row, and throws it. */
async function recordFailure(client: Client, migration: Migration, error: unknown): Promise<never> {
  const { name, sql } = migration;
  const reason = describe(error, sql);
  const record = async () => {
    const { rowCount } = await client.query(
      `UPDATE _prisma_migrations SET logs = $2
        WHERE migration_name = $1 AND finished_at IS NULL AND rolled_back_at IS NULL`,
      [name, reason],
    );
    if (rowCount === 0) {
      const id = randomUUID();
      await client.query(INSERT, [id, checksum(sql), name]);
      await client.query('UPDATE _prisma_migrations SET logs = $2 WHERE id = $1', [id, reason]);
    }
  };
  await record().catch(() => {});
  throw new MigrationError(`Migration ${name} failed: ${reason}`, { cause: error });
}

/** Marks as rolled back what failed for a cause outside it, and has left nothing. @returns the rest */
async function retryable(
  client: Client,
  recorded: Recorded[],
  migrations: Migration[],
  log: (message: string) => void,
): Promise<Recorded[]> {
  const again = recorded.filter(({ finished, logs, migration_name }) => {
    const sql = migrations.find(({ name }) => name === migration_name)?.sql;
    const whole = sql !== undefined && !NO_TRANSACTION.test(sql);
    return !finished && whole && CAUSE_OUTSIDE.test(logs ?? '');
  });
  for (const { migration_name: name } of again) {
    await client.query(
      `UPDATE _prisma_migrations SET rolled_back_at = now()
        WHERE migration_name = $1 AND finished_at IS NULL AND rolled_back_at IS NULL`,
      [name],
    );
    log(`Tries migration ${name} again: it failed for a cause outside it, and left nothing`);
  }
  return recorded.filter((row) => !again.includes(row));
}

/** One line with the SQLSTATE and the place in the file, then what PostgreSQL adds. */
function describe(error: unknown, sql: string): string {
  if (!(error instanceof DatabaseError)) return reasonOf(error);
  const at = error.position ? sql.slice(0, Number(error.position)).split('\n').length : undefined;
  return [
    `SQLSTATE ${error.code}: ${error.message}${at ? ` (line ${at})` : ''}`,
    error.detail,
    error.hint,
    error.where,
  ]
    .filter(Boolean)
    .join('\n');
}
