import type { Config } from '../../config.js';
import { REQUESTS, settingsOf, WORK } from '../session.js';
import { defaultDataHome, startEmbeddedPostgres } from '../embedded/embedded-postgres.js';
import { isDatabaseUnavailable } from '../database-errors.js';
import {
  assertRoles,
  checkLogin,
  isAboveItsRoles,
  checkDirect,
  giveSettings,
  provideLogin,
  REQUEST_ROLES,
  SERVICE_ROLES,
} from './logins.js';
import { applyMigrations, MIGRATIONS_DIRECTORY } from './migrations.js';

/** Addresses of the database, by what the service connects for. */
export interface ServiceUrls {
  /** For what it does by itself. */
  readonly url: string;
  /** For requests of clients. */
  readonly requestUrl: string;
  /** Of the server itself, when the two above lead through a pooler. */
  readonly directUrl?: string | undefined;
}

/** A database that is there and migrated. */
export interface OpenDatabase extends ServiceUrls {
  /** With the login that owns the tables: for migrations, and what operators do. */
  readonly ownerUrl: string;
  /** Stops the embedded server, if this process is its last user. */
  close(): Promise<void>;
}

/** The folder of the embedded database and the development key. */
export const dataHomeOf = (config: Pick<Config, 'DATA_HOME'>): string =>
  config.DATA_HOME ?? defaultDataHome(process.cwd());

/**
 * Starts the embedded server when no database is configured, and applies outstanding migrations
 * unless they are somebody else's to apply. Who migrates with a login of its own makes the others.
 */
export async function openDatabase(
  config: Pick<
    Config,
    'DATABASE_URL' | 'DATABASE_OWNER_URL' | 'DATABASE_API_URL' | 'DATABASE_DIRECT_URL' | 'MIGRATE'
  >,
  dataHome: string,
  log: (message: string) => void,
): Promise<OpenDatabase> {
  const embedded =
    config.DATABASE_URL === undefined ? await startEmbeddedPostgres({ dataHome, log }) : null;
  const url = config.DATABASE_URL ?? (embedded?.url as string);
  const urls = {
    url,
    requestUrl: config.DATABASE_API_URL ?? url,
    directUrl: config.DATABASE_DIRECT_URL,
    ownerUrl: config.DATABASE_OWNER_URL ?? config.DATABASE_DIRECT_URL ?? url,
  };
  const pooled = urls.directUrl !== undefined;
  try {
    if (config.MIGRATE) {
      await applyMigrations({
        connectionString: urls.ownerUrl,
        directory: MIGRATIONS_DIRECTORY,
        log,
        beforehand: assertRoles,
        afterwards: async (owner) => {
          await provideLogin(owner, urls.url, SERVICE_ROLES);
          if (urls.requestUrl !== urls.url) {
            await provideLogin(owner, urls.requestUrl, REQUEST_ROLES);
          }
          if (pooled) {
            await giveSettings(owner, urls.url, settingsOf('headframe_worker', WORK.statementMs));
            await giveSettings(
              owner,
              urls.requestUrl,
              settingsOf('headframe_api', REQUESTS.statementMs),
            );
          }
        },
      });
    }
  } catch (error) {
    await embedded?.stop();
    throw error;
  }
  return { ...urls, close: async () => embedded?.stop() };
}

/**
 * Refuses logins that may not act as the service has to, and tells of one that may do more. A database
 * that cannot be reached now is no reason to refuse.
 * @throws LoginError
 */
export async function checkLogins(
  { url, requestUrl, directUrl }: ServiceUrls,
  warn: (message: string) => void,
): Promise<void> {
  try {
    if (directUrl !== undefined) {
      await checkDirect(directUrl);
    }
    await checkLogin(url, SERVICE_ROLES);
    await checkLogin(requestUrl, REQUEST_ROLES);
    if (await isAboveItsRoles(requestUrl)) {
      warn(
        'the database login of requests owns the tables, or is a superuser: with a login of its own (see DATABASE_OWNER_URL) a statement that forgets its organization would find no rows of others',
      );
    }
  } catch (error) {
    if (!isDatabaseUnavailable(error)) {
      throw error;
    }
  }
}
