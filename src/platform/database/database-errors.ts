/** Error codes of sockets that could not be opened or were lost. */
const SOCKET_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EPIPE',
  'ETIMEDOUT',
]);

/**
 * SQLSTATE classes and codes that say "not now" rather than "never": connection failure (08), out of
 * resources (53), shutdown, crash and start-up of the server (57P), canceled statement (57014), a
 * server that turned read-only in a failover (25006), and victims of a deadlock or of a serialization
 * failure (40P01, 40001), which were rolled back whole.
 * Source: PostgreSQL documentation, appendix A.
 */
const UNAVAILABLE_SQLSTATE = /^(08...|53...|57P..|57014|25006|40P01|40001)$/;

/**
 * SQLSTATEs of a schema that does not fit this build, or its rights: no such table, column, function,
 * schema, type or role, no right. No statement of ours meets them on a schema that fits, so they pass
 * when the database is migrated, or restored.
 */
const UNFIT_SQLSTATE = /^(42P01|42703|42883|3F000|42704|42501)$/;
/** The same in Prisma's words: no such table (P2021), no such column (P2022). */
const UNFIT_PRISMA = /^(P2021|P2022)$/;

/**
 * Prisma's own codes: cannot reach (P1001), timed out (P1002), closed (P1017), no connection in time
 * (P2024), no transaction in time or one that took too long (P2028), victim of a deadlock (P2034).
 */
const UNAVAILABLE_PRISMA = /^(P1001|P1002|P1017|P2024|P2028|P2034)$/;

/** What `pg` says, without a code, of connections that are gone or could not be had in time. */
const UNAVAILABLE_MESSAGE =
  /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|Query read timeout|Cannot use a pool after calling end/i;

/** Whether an error means that the schema does not fit this build. */
export function isSchemaUnfit(error: unknown): boolean {
  for (let current = error, depth = 0; current instanceof Error && depth < 4; depth += 1) {
    const { code } = current as { code?: unknown };
    const sqlState = sqlStateWithin(current) ?? (typeof code === 'string' ? code : '');
    if (UNFIT_SQLSTATE.test(sqlState) || UNFIT_PRISMA.test(String(code))) {
      return true;
    }
    // A session that cannot begin in the right of its role.
    if (sqlState === '22023' && /role "headframe_/.test(current.message)) {
      return true;
    }
    current = current.cause;
  }
  return false;
}

/** Whether an error means that the database cannot be used at the moment, and may be again later. */
export function isDatabaseUnavailable(error: unknown): boolean {
  for (let current = error, depth = 0; current instanceof Error && depth < 4; depth += 1) {
    const { code } = current as { code?: unknown };
    if (typeof code === 'string' && UNAVAILABLE_PRISMA.test(code)) {
      return true;
    }
    if (UNAVAILABLE_SQLSTATE.test(sqlStateWithin(current) ?? '')) {
      return true;
    }
    if (typeof code === 'string' && (SOCKET_CODES.has(code) || UNAVAILABLE_SQLSTATE.test(code))) {
      return true;
    }
    if (UNAVAILABLE_MESSAGE.test(current.message)) {
      return true;
    }
    current = current instanceof AggregateError ? current.errors[0] : current.cause;
  }
  return false;
}

/** Prisma keeps what the server said, when it has no code of its own for it, in its error's `meta`. */
function sqlStateWithin(error: Error): string | undefined {
  const { meta } = error as {
    meta?: { driverAdapterError?: { cause?: { originalCode?: string } } };
  };
  return meta?.driverAdapterError?.cause?.originalCode;
}

/** Whether an error passes without anything done here: the database comes back, or its schema fits again. */
export function mayPass(error: unknown): boolean {
  return isDatabaseUnavailable(error) || isSchemaUnfit(error);
}
