const READ_ONLY = 'The database can only be read';

/** What a server says of itself, as {@link SERVER_COLUMNS} asks it. */
export interface ServerState {
  readonly standby: boolean;
  readonly unwritable: boolean;
}

/** SQL of the columns of {@link ServerState}. */
export const SERVER_COLUMNS =
  "pg_is_in_recovery() AS standby, current_setting('transaction_read_only')::bool AS unwritable";

/**
 * Whether a server can be written to. A standby answers every read, so a replica that only asked whether the
 * database answers would take it for the primary.
 * @returns why it cannot, and what to do; null when it can
 */
export function faultOfServer({ standby, unwritable }: ServerState): string | null {
  if (standby) {
    return `${READ_ONLY}: its server is a standby. Let the address in DATABASE_URL lead to the primary or, if that is lost for good, promote the standby (SELECT pg_promote()): see docs/operations.md.`;
  }
  return unwritable
    ? `${READ_ONLY}: default_transaction_read_only is on. Turn it off when the database may be written to again.`
    : null;
}

/** Whether a fault is that of the server behind the address, not of what the database holds. */
export const isOfServer = (fault: string | null): boolean => fault?.startsWith(READ_ONLY) ?? false;
