import type { Config } from '../config.js';
import { defaultDataHome, startEmbeddedPostgres } from './embedded-postgres.js';
import { applyMigrations, MIGRATIONS_DIRECTORY } from './migrations.js';

/** A database that is there and migrated. */
export interface OpenDatabase {
  readonly url: string;
  /** Stops the embedded server, if this process is its last user. */
  close(): Promise<void>;
}

/** The folder of the embedded database and the development key. */
export const dataHomeOf = (config: Pick<Config, 'DATA_HOME'>): string =>
  config.DATA_HOME ?? defaultDataHome(process.cwd());

/**
 * Starts the embedded server when no database is configured, and applies outstanding migrations
 * unless they are somebody else's to apply.
 */
export async function openDatabase(
  config: Pick<Config, 'DATABASE_URL' | 'MIGRATE'>,
  dataHome: string,
  log: (message: string) => void,
): Promise<OpenDatabase> {
  const embedded =
    config.DATABASE_URL === undefined ? await startEmbeddedPostgres({ dataHome, log }) : null;
  const url = config.DATABASE_URL ?? (embedded?.url as string);
  try {
    if (config.MIGRATE) {
      await applyMigrations({ connectionString: url, directory: MIGRATIONS_DIRECTORY, log });
    }
  } catch (error) {
    await embedded?.stop();
    throw error;
  }
  return { url, close: async () => embedded?.stop() };
}
