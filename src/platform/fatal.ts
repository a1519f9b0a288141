import { ConfigError } from './config.js';
import { isDatabaseUnavailable } from './database/database-errors.js';
import { EmbeddedPostgresError } from './database/embedded/embedded-postgres.js';
import { LoginError } from './database/schema/logins.js';
import { MigrationError } from './database/schema/migrations.js';
import { ListenError } from './http/connections/listen.js';

/** Errors whose message is written for the operator: their stack would only hide it. */
const FOR_THE_OPERATOR = [
  ConfigError,
  EmbeddedPostgresError,
  ListenError,
  LoginError,
  MigrationError,
];

/** Says on standard error why the process cannot go on, and ends it with status 1. */
export function exitFatally(error: unknown): never {
  const advice = adviceFor(error);
  console.error(advice ?? error);
  process.exit(1);
}

function adviceFor(error: unknown): string | null {
  if (FOR_THE_OPERATOR.some((kind) => error instanceof kind)) {
    return (error as Error).message;
  }
  if (isDatabaseUnavailable(error)) {
    return 'The database cannot be reached: check DATABASE_URL, and that the server is running.';
  }
  const { code } = (error ?? {}) as { code?: unknown };
  if (typeof code === 'string' && code.startsWith('ERR_PARSE_ARGS')) {
    return `${(error as Error).message}\nTo see what there is, use --help.`;
  }
  // PostgreSQL's and Prisma's codes for a table that does not exist.
  if (code === '42P01' || code === 'P2021') {
    return 'The database is not migrated: run "node dist/cli/migrate.js", or start with MIGRATE=true.';
  }
  return null;
}
