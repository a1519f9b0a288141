import pg from 'pg';
import type { DatabaseRole } from './session.js';

/** A login cannot do what the service needs of it. The message says what to do next. */
export class LoginError extends Error {
  override name = 'LoginError';
}

/** What the logins of a service may act as: the one for everything, and one for requests alone. */
export const SERVICE_ROLES: readonly DatabaseRole[] = ['headframe_api', 'headframe_worker'];
export const REQUEST_ROLES: readonly DatabaseRole[] = ['headframe_api'];

/**
 * In the right of the owner: makes the login that an address names, with its password, unless it is
 * there, and lets it act as these roles.
 */
export async function provideLogin(
  ownerUrl: string,
  url: string,
  roles: readonly DatabaseRole[],
): Promise<void> {
  const { username, password } = new URL(url);
  const login = decodeURIComponent(username);
  await withClient(ownerUrl, async (owner) => {
    const { rows } = await owner.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [login]);
    const name = owner.escapeIdentifier(login);
    if (rows.length === 0) {
      const secret = owner.escapeLiteral(decodeURIComponent(password));
      // Nothing is inherited: what it may do, it may only as one of the roles.
      await owner.query(`CREATE ROLE ${name} LOGIN NOINHERIT PASSWORD ${secret}`);
    }
    const missing = await rolesWithout(owner, login, roles);
    if (missing.length > 0) {
      await owner.query(`GRANT ${missing.join(', ')} TO ${name}`);
    }
  });
}

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

/** @throws LoginError when the login of an address may not act as all of these roles */
export async function checkLogin(url: string, roles: readonly DatabaseRole[]): Promise<void> {
  const { login, missing } = await withClient(url, async (client) => {
    const { rows } = await client.query<{ login: string }>('SELECT session_user AS login');
    const name = rows[0]?.login as string;
    return { login: name, missing: await rolesWithout(client, name, roles) };
  });
  if (missing.length > 0) {
    throw new LoginError(
      `The database login "${login}" may not act as ${missing.join(' and ')}. ` +
        'If the database is not migrated yet: run "node dist/cli/migrate.js", or start with MIGRATE=true. ' +
        `Else let its owner run: GRANT ${missing.join(', ')} TO ${pg.escapeIdentifier(login)};`,
    );
  }
}

/** Those of the roles that a login may not take, or that do not exist. */
async function rolesWithout(
  client: pg.Client,
  login: string,
  roles: readonly DatabaseRole[],
): Promise<string[]> {
  const { rows } = await client.query<{ role: string }>(
    `SELECT role FROM unnest($2::text[]) AS role
     WHERE to_regrole(role) IS NULL OR NOT pg_has_role($1, to_regrole(role), 'MEMBER')`,
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
