import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client } from '../support/client.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { runService, type Service, startService } from '../support/service.js';
import { TEST_SECRET, token } from '../support/tokens.js';

/** A deployment whose service owns nothing: one login migrates, one works, one serves requests. */
describe('logins of their own', () => {
  const names = ['owner', 'service', 'api'].map(
    (name) => `${name}_${randomUUID().replaceAll('-', '')}`,
  );
  let database: TestDatabase;
  let superuser: pg.Client;
  let owner: string;
  let worker: string;
  let api: string;
  let service: Service | undefined;

  beforeAll(async () => {
    database = await createTestDatabase('empty');
    superuser = new pg.Client(database.url);
    await superuser.connect();
    [owner, worker, api] = names.map((name) => {
      const url = new URL(database.url);
      [url.username, url.password] = [name, 'p%27%5C%40'];
      return url.href;
    }) as [string, string, string];
  });
  afterAll(async () => {
    await service?.stop();
    for (const name of names.toReversed()) {
      const { rowCount } = await superuser.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [
        name,
      ]);
      if (rowCount === 1) {
        await superuser.query(`DROP OWNED BY ${name} CASCADE; DROP ROLE ${name}`);
      }
    }
    await superuser?.end();
    await database?.drop();
  });

  it('are asked for, with the words that make them, when the owner may not make roles', async () => {
    await superuser.query(`CREATE ROLE ${names[0]} LOGIN PASSWORD 'p''\\@' NOCREATEROLE`);
    await superuser.query(`GRANT ALL ON SCHEMA public TO ${names[0]}`);
    const { code, output } = await runService({
      DATABASE_URL: owner,
      AUTH_JWT_SECRET: TEST_SECRET,
    });
    expect(code).toBe(1);
    // What it says is done, word by word but for the roles that are there, and then it starts again.
    expect(output).toMatch(/CREATE ROLE headframe_operator NOLOGIN; .*; then start again\./);
    const advice = /GRANT headframe_api, .* WITH ADMIN OPTION;/.exec(output)?.[0] as string;
    await superuser.query(advice);
    service = await startService(owner);
    expect(service.log()).toContain('row_level_security again');
    await service.stop();
    // Only who may make logins can make the two others.
    await superuser.query(`ALTER ROLE ${names[0]} CREATEROLE`);
  });

  it('need a right on the schema, and say which', async () => {
    await superuser.query(
      `CREATE SCHEMA other; ALTER DATABASE ${new URL(owner).pathname.slice(1)} SET search_path = other`,
    );
    const { code, output } = await runService({
      DATABASE_URL: owner,
      AUTH_JWT_SECRET: TEST_SECRET,
    });
    await superuser.query(`ALTER DATABASE ${new URL(owner).pathname.slice(1)} RESET search_path`);
    expect(code).toBe(1);
    expect(output).toContain('GRANT USAGE, CREATE ON SCHEMA');
    expect(output).not.toContain('    at ');
  });

  it('are made by who migrates, and serve a whole job', async () => {
    service = await startService(worker, {
      NODE_ENV: 'production',
      DATABASE_OWNER_URL: owner,
      DATABASE_API_URL: api,
    });
    const org = randomUUID();
    const client = new Client(service.url, org, await token(org));
    const job = await client.submit('diagnostics/sleep', { seconds: 0 });
    expect(await client.ended(job)).toMatchObject({ status: 'succeeded' });
    expect((await client.get(job)).status).toBe(200);
    expect((await client.get(`${job}/detail`)).body.attempts).toHaveLength(1);
    expect(service.log()).not.toContain('owns the tables');
    const { rows } = await superuser.query(
      `SELECT usename FROM pg_stat_activity WHERE datname = current_database()
         AND application_name = 'headframe' GROUP BY 1 ORDER BY 1`,
    );
    expect(rows.map(({ usename }) => usename)).toEqual([names[2], names[1]]);
  });

  it('are refused in one sentence when they may not act as the service has to', async () => {
    const { code, output } = await runService({
      DATABASE_URL: api,
      MIGRATE: 'false',
      AUTH_JWT_SECRET: TEST_SECRET,
    });
    expect(code).toBe(1);
    expect(output).toContain(`"${names[2]}" may not act as headframe_worker.`);
    expect(output).toContain(`GRANT headframe_worker TO "${names[2]}";`);
    expect(output).not.toContain('    at ');
  });

  it('of an owner are told of in production: they are above their roles', async () => {
    await service?.stop();
    service = await startService(owner, { NODE_ENV: 'production' });
    expect(service.log()).toContain('owns the tables');
  });
});
