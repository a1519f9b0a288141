import { Database } from '../../platform/database/database.js';
import {
  checkLogin,
  isAboveItsRoles,
  REQUEST_ROLES,
  SERVICE_ROLES,
} from '../../platform/database/schema/logins.js';
import { readMigrations } from '../../platform/database/schema/migrations.js';
import type { OpenDatabase } from '../../platform/database/schema/open-database.js';
import { faultOfSchema } from '../../platform/database/schema/schema-fault.js';
import type { Config } from '../../platform/config.js';
import { attempt, bad, type Finding, good } from './finding.js';
import { checkReplicas } from './replica-checks.js';
import { checkServer } from './server-checks.js';

const MENDED_BY_OTHERS = 'Correct what is above first: this could not be looked at.';

/** The server, the schema, the logins, and the replicas that work with them. */
export async function checkDatabase(
  config: Config,
  urls: OpenDatabase,
): Promise<readonly Finding[]> {
  const server = await checkServer(urls.url);
  if (server.some(({ check, level }) => check === 'database' && level === 'fail')) {
    return server;
  }
  const logins = await checkLogins(config, urls);
  const { url, requestUrl, directUrl } = urls;
  const database = new Database({ url, requestUrl, directUrl, poolSize: 1 });
  try {
    const pooler = await attempt('pooler', MENDED_BY_OTHERS, () => checkPooler(database));
    const schema = await attempt('migrations', MENDED_BY_OTHERS, async () => {
      const migrations = await readMigrations();
      const fault = await faultOfSchema(database.requests, migrations);
      return fault === null
        ? [good('migrations', `the schema fits: ${migrations.at(-1)?.name}`)]
        : [bad('migrations', 'fail', 'the schema does not fit this version', fault)];
    });
    const isFit = schema.every(({ level }) => level === 'ok');
    const replicas = isFit
      ? await attempt('replicas', MENDED_BY_OTHERS, () => checkReplicas(database.pool, config))
      : [];
    return [...server, ...logins, ...pooler, ...schema, ...replicas];
  } finally {
    await database.onApplicationShutdown();
  }
}

/** @returns nothing where there is no pooler */
async function checkPooler(database: Database): Promise<readonly Finding[]> {
  const fault = await database.faultOfWays();
  if (fault !== null) {
    return [bad('pooler', 'fail', 'a connection pooler is in the way', fault)];
  }
  return database.pooled ? [good('pooler', 'the logins bring their settings along')] : [];
}

async function checkLogins(config: Config, urls: OpenDatabase): Promise<readonly Finding[]> {
  const may = (name: string, url: string, roles: typeof SERVICE_ROLES) =>
    attempt(
      'rights',
      `The login of ${name} cannot be used: correct it as the message says.`,
      async () => {
        await checkLogin(url, roles);
        return [good('rights', `the login of ${name} may act as ${roles.join(' and ')}`)];
      },
    );
  const above = await attempt('rights', MENDED_BY_OTHERS, async () =>
    config.NODE_ENV === 'production' && (await isAboveItsRoles(urls.requestUrl))
      ? [
          bad(
            'rights',
            'warn',
            'the login of requests owns the tables, or is a superuser',
            'A statement that forgot its organization would find rows of others: set DATABASE_API_URL to a login of its own.',
          ),
        ]
      : [],
  );
  return [
    ...(await may('DATABASE_URL', urls.url, SERVICE_ROLES)),
    ...(urls.requestUrl === urls.url
      ? []
      : await may('DATABASE_API_URL', urls.requestUrl, REQUEST_ROLES)),
    ...above,
  ];
}
