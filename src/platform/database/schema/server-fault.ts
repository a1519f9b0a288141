import type { Pool } from 'pg';

const READ_ONLY = 'The database can only be read';

/**
 * Whether the server that a connection leads to can be written to. A standby answers every read, so a
 * replica that only asked whether the database answers would take it for the primary.
 * @param pool connections in the right of `headframe_api`
 * @returns why it cannot, and what to do; null when it can
 * @throws what the statement fails with
 */
export async function faultOfServer(pool: Pool): Promise<string | null> {
  const { rows } = await pool.query<{ standby: boolean; unwritable: boolean }>(
    `SELECT pg_is_in_recovery() AS standby, current_setting('transaction_read_only')::bool AS unwritable`,
  );
  const { standby, unwritable } = rows[0] as (typeof rows)[number];
  if (standby) {
    return `${READ_ONLY}: its server is a standby. Let the address in DATABASE_URL lead to the primary or, if that is lost for good, promote the standby (SELECT pg_promote()): see docs/operations.md.`;
  }
  return unwritable
    ? `${READ_ONLY}: default_transaction_read_only is on. Turn it off when the database may be written to again.`
    : null;
}

/** Whether a fault is that of the server behind the address, not of what the database holds. */
export const isOfServer = (fault: string | null): boolean => fault?.startsWith(READ_ONLY) ?? false;
