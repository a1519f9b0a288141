import type { ClientConfig } from 'pg';

/**
 * Settings of each session: UTC, because Prisma's driver adapter reads and writes shifted times
 * otherwise; a bound on idle transactions, so that a stuck one frees its locks; statements planned once,
 * since planning anew took a claim from ten organizations a quarter of its time; and index lookups
 * wherever there is an index. A statement that is planned while a table is nearly empty would read all
 * of it, and go on doing so while it fills, until its statistics are made anew: status polls fell to
 * half within 30,000 submits.
 */
const SETTINGS = {
  TimeZone: 'UTC',
  idle_in_transaction_session_timeout: '10000',
  plan_cache_mode: 'force_generic_plan',
  enable_seqscan: 'off',
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
};

/** How long a session waits. */
export interface Patience {
  /** After which the server cancels a statement, and with it frees its locks: milliseconds. */
  readonly statementMs: number;
  /** After which a statement without any answer fails here; a little more, for the server's word. */
  readonly answerMs: number;
  readonly connectMs: number;
}

/** In whose right a session acts; see the migration `row_level_security`. */
export type DatabaseRole = 'headframe_api' | 'headframe_worker' | 'headframe_operator';

/** A client waits for a request's statement, and sooner comes back than waits on. */
export const REQUESTS: Patience = { statementMs: 5_000, answerMs: 7_000, connectMs: 5_000 };
/** No client waits for these statements, and one that is cut off would start again from the beginning. */
export const WORK: Patience = { statementMs: 30_000, answerMs: 35_000, connectMs: 5_000 };

/** What a session is begun with: names of settings and their values, as PostgreSQL takes them. */
export const settingsOf = (role: DatabaseRole, statementMs: number): Record<string, string> => ({
  role,
  statement_timeout: String(Math.ceil(statementMs)),
  ...SETTINGS,
});

/** What a connection to the database at this address is made with. */
export function sessionOf(
  url: string,
  role: DatabaseRole,
  { statementMs, answerMs, connectMs }: Patience,
) {
  return {
    connectionString: url,
    application_name: 'headframe',
    keepAlive: true,
    connectionTimeoutMillis: connectMs,
    query_timeout: answerMs,
    options: Object.entries(settingsOf(role, statementMs))
      .map(([name, value]) => `-c ${name}=${value}`)
      .join(' '),
  } satisfies ClientConfig;
}
