import pg from 'pg';
import { leadsThroughPooler } from '../connections/pooler.js';
import { outlastRaces } from './catalog-races.js';
import type { DatabaseRole } from '../session.js';

/** A login cannot do what the service needs of it. The message says what to do next. */
export class LoginError extends Error {
  override name = 'LoginError';
}

/** What the logins of a service may act as: the one for everything, and one for requests alone. */
export const SERVICE_ROLES: readonly DatabaseRole[] = ['headframe_api', 'headframe_worker'];
export const REQUEST_ROLES: readonly DatabaseRole[] = ['headframe_api'];
const ALL_ROLES: readonly DatabaseRole[] = [...SERVICE_ROLES, 'headframe_operator'];

/**
 * In the right of the owner: makes the login that an address names, with its password, unless it is
 * there, and lets it act as these roles. Safe to call for many databases of a server at once.
 * @param owner a connection of the owner
 * @throws LoginError when the owner may not
 */
export async function provideLogin(
  owner: pg.Client,
  url: string,
  roles: readonly DatabaseRole[],
): Promise<void> {
  const { username, password } = new URL(url);
  const named = decodeURIComponent(username);
  const login =
    named || (await owner.query<{ login: string }>('SELECT session_user AS login')).rows[0]?.login;
  const name = owner.escapeIdentifier(login as string);
  try {
    await outlastRaces(async () => {
      const { rows } = await owner.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [login]);
      if (rows.length === 0) {
        const secret = owner.escapeLiteral(decodeURIComponent(password));
        // Nothing is inherited: what it may do, it may only as one of the roles.
        await owner.query(`CREATE ROLE ${name} LOGIN NOINHERIT PASSWORD ${secret}`);
      }
      const missing = await rolesWithout(owner, login as string, roles);
      if (missing.length > 0) {
        await owner.query(`GRANT ${missing.join(', ')} TO ${name}`);
      }
    });
  } catch (error) {
    if ((error as { code?: string }).code !== '42501') {
      throw error;
    }
    throw new LoginError(
      `The owner of the database may not make the login "${login}", or let it act as ${roles.join(' and ')}. ` +
        `Let an administrator of the server run, but for what is there already: ` +
        `CREATE ROLE ${name} LOGIN NOINHERIT PASSWORD '…'; GRANT ${roles.join(', ')} TO ${name}; then start again.`,
      { cause: error },
    );
  }
}

/**
 * In the right of the owner: lets the login that an address names begin all its sessions in this database
 * with these settings, for where a pooler begins them. A direct connection's own settings come first.
 * @throws LoginError when the owner may not, or when it is that login: its settings would be the owner's
 */
export async function giveSettings(
  owner: pg.Client,
  url: string,
  settings: Readonly<Record<string, string>>,
): Promise<void> {
  const login = decodeURIComponent(new URL(url).username);
  const { rows } = await owner.query<{ database: string; mine: boolean; given: string[] }>(
    `SELECT current_database() AS database, session_user = $1 AS mine,
            coalesce((SELECT setconfig FROM pg_db_role_setting
              WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
                AND setrole = to_regrole(quote_ident($1))), '{}') AS given`,
    [login],
  );
  const { database, mine, given } = rows[0] as (typeof rows)[number];
  if (mine) {
    throw new LoginError(
      `The login "${login}" owns the tables, so it cannot be that of a pooler, too: its sessions begin with settings of their own. Give DATABASE_URL and DATABASE_API_URL other logins, which the migrations make.`,
    );
  }
  const missing = Object.entries(settings).filter(
    ([name, value]) => !given.includes(`${name}=${value}`),
  );
  if (missing.length === 0) {
    return;
  }
  const statements = missing.map(
    ([name, value]) =>
      `ALTER ROLE ${owner.escapeIdentifier(login)} IN DATABASE ${owner.escapeIdentifier(database)} SET ${name} = ${owner.escapeLiteral(value)};`,
  );
  try {
    await outlastRaces(() => owner.query(statements.join(' ')));
  } catch (error) {
    if ((error as { code?: string }).code !== '42501') {
      throw error;
    }
    throw new LoginError(
      `The owner of the database may not give the login "${login}" the settings that a pooler needs. Let an administrator of the server run: ${statements.join(' ')}`,
      { cause: error },
    );
  }
}

/** @throws LoginError when the address of the server itself leads through a pooler */
export async function checkDirect(url: string): Promise<void> {
  if (await withClient(url, leadsThroughPooler)) {
    throw new LoginError(
      'DATABASE_DIRECT_URL leads through a connection pooler, which would lose notifications, heartbeats and locks: give it the address of the server itself.',
    );
  }
}

/**
 * Refuses a database that was migrated on another server and came here without its roles.
 * @throws LoginError
 */
export async function assertRoles(owner: pg.Client): Promise<void> {
  const { rows: migrated } = await owner.query<{ there: boolean }>(
    `SELECT to_regclass('_prisma_migrations') IS NOT NULL AND to_regclass('jobs') IS NOT NULL AND EXISTS
       (SELECT 1 FROM pg_proc WHERE oid = to_regproc('request_organizations')) AS there`,
  );
  const { rows: gone } = await owner.query<{ role: string }>(
    'SELECT role FROM unnest($1::text[]) AS role WHERE to_regrole(role) IS NULL',
    [ALL_ROLES],
  );
  if (migrated[0]?.there && gone.length > 0) {
    throw new LoginError(adviceOnLostRoles(gone.map(({ role }) => role)));
  }
}

/** What to do about a database whose roles are not on its server: it was restored without them. */
export const adviceOnLostRoles = (roles: readonly string[]): string =>
  `The server has no role ${roles.join(', ')}, although the database was migrated: it was restored ` +
  `without its roles, which a dump of one database does not hold, and so without the rights that were ` +
  `theirs. Let an administrator make them (${roles.map((role) => `CREATE ROLE ${role} NOLOGIN;`).join(' ')}), ` +
  `then restore the dump again, into an empty database: see docs/backup.md.`;

/** Whether a login could see all rows if a statement left its role: it owns tables, or rules the server. */
export async function isAboveItsRoles(url: string): Promise<boolean> {
  return withClient(url, async (client) => {
    const { rows } = await client.query<{ above: boolean }>(
      `SELECT rolsuper OR rolbypassrls
         OR EXISTS (SELECT 1 FROM pg_class WHERE oid = to_regclass('jobs') AND relowner = pg_roles.oid) AS above
       FROM pg_roles WHERE rolname = session_user`,
    );
    return rows[0]?.above ?? true;
  });
}

/**
 * Of a database that is not migrated, or has lost its roles, it says nothing: that is for `SchemaWatch`
 * to tell, and may change while the replica runs.
 * @throws LoginError when the login of an address may not act as all of these roles
 */
export async function checkLogin(url: string, roles: readonly DatabaseRole[]): Promise<void> {
  const checked = await withClient(url, async (client) => {
    const { rows } = await client.query<{ login: string; migrated: boolean }>(
      `SELECT session_user AS login,
              EXISTS (SELECT 1 FROM pg_class WHERE relname = '_prisma_migrations')
                AND NOT EXISTS (SELECT 1 FROM unnest($1::text[]) AS role WHERE to_regrole(role) IS NULL)
                AS migrated`,
      [roles],
    );
    const { login: name, migrated } = rows[0] as (typeof rows)[number];
    return { login: name, migrated, missing: await rolesWithout(client, name, roles) };
  });
  const { login, missing } = checked;
  if (checked.migrated && missing.length > 0) {
    throw new LoginError(
      `The database login "${login}" may not act as ${missing.join(' and ')}. ` +
        `Let its owner run: GRANT ${missing.join(', ')} TO ${pg.escapeIdentifier(login)};`,
    );
  }
}

/**
 * Those of the roles that a login may not take, or that do not exist. Since PostgreSQL 16 a member
 * need not be allowed to take its role: who makes a role is a member that may not.
 */
async function rolesWithout(
  client: pg.Client,
  login: string,
  roles: readonly DatabaseRole[],
): Promise<string[]> {
  const { rows } = await client.query<{ role: string }>(
    `SELECT role FROM unnest($2::text[]) AS role
     WHERE to_regrole(role) IS NULL OR NOT pg_has_role($1, to_regrole(role),
         CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END)`,
    [login, roles],
  );
  return rows.map(({ role }) => role);
}

async function withClient<T>(url: string, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'headframe: logins',
    connectionTimeoutMillis: 10_000,
  });
  client.on('error', () => undefined); // a lost connection also rejects the query that runs
  try {
    await client.connect();
    return await use(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}
