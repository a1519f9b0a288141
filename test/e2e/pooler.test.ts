import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { applyMigrations } from '../../src/platform/database/schema/migrations.js';
import { Client } from '../support/client.js';
import { type OwnPgBouncer, PGBOUNCER, startOwnPgBouncer } from '../support/own-pgbouncer.js';
import { type OwnPostgres, POSTGRES_PROGRAMS, startOwnPostgres } from '../support/own-postgres.js';
import { runService, type Service, startService } from '../support/service.js';
import { TEST_SECRET, token } from '../support/tokens.js';
import { query } from '../support/query.js';

const missing = POSTGRES_PROGRAMS === null || PGBOUNCER === null;
if (missing) {
  console.log(
    'test/e2e/pooler.test.ts is skipped: it needs PostgreSQL and PgBouncer (Debian: apt-get install postgresql pgbouncer).',
  );
}

const SLEEP = 'diagnostics/sleep';
const DOCTOR = fileURLToPath(new URL('../../dist/cli/doctor.js', import.meta.url));

describe.skipIf(missing)('behind PgBouncer in transaction mode', () => {
  const org = randomUUID();
  let server: OwnPostgres;
  let pooler: OwnPgBouncer;
  let services: Service[] = [];

  beforeAll(async () => {
    server = await startOwnPostgres(POSTGRES_PROGRAMS as string);
    await query(server.url('postgres'), `CREATE ROLE headframe LOGIN CREATEROLE PASSWORD 'secret'`);
    await query(server.url('postgres'), 'CREATE DATABASE headframe OWNER headframe');
    pooler = await startOwnPgBouncer(PGBOUNCER as string, server.url('headframe'));
  });
  afterEach(async () => {
    await Promise.all(services.map((service) => service.stop()));
    services = [];
  });
  afterAll(async () => {
    await pooler?.stop();
    await server?.stop();
  });

  const addresses = (way = pooler) => ({
    DATABASE_URL: way.of(server.url('headframe', 'service')),
    DATABASE_API_URL: way.of(server.url('headframe', 'requests')),
    DATABASE_DIRECT_URL: server.url('headframe', 'service'),
    DATABASE_OWNER_URL: server.url('headframe', 'headframe'),
    AUTH_JWT_SECRET: TEST_SECRET,
    PORT: '0',
  });

  async function run(environment: Record<string, string> = {}): Promise<Client> {
    const all = { ...addresses(), WORKER_SLOTS: '4', ...environment };
    const service = await startService(all.DATABASE_URL, all);
    services.push(service);
    return new Client(service.url, org, await token(org));
  }

  const readiness = async ({ url }: Client) => {
    const answer = await fetch(`${url}/health/ready`);
    return `${answer.status} ${await answer.text()}`;
  };

  it('jobs run and are canceled, and requests of two replicas share two sessions', async () => {
    const [first, second] = [await run(), await run()] as const;
    const jobs = await Promise.all(
      Array.from({ length: 60 }, (_, index) =>
        (index % 2 === 0 ? first : second).submit(SLEEP, { seconds: index % 3 === 0 ? 0.2 : 0 }),
      ),
    );
    for (const job of jobs) {
      expect((await second.ended(job)).status).toBe('succeeded');
    }
    const long = await first.submit(SLEEP, { seconds: 60, steps: 600 });
    await first.waitFor(long, ({ status }) => status === 'in progress');
    expect((await second.delete(long)).status).toBe(204);
    expect((await first.ended(long)).status).toBe('canceled');
    const foreign = new Client(first.url, randomUUID(), await token(randomUUID()));
    expect((await foreign.get(long)).status).toBe(403);

    const { rows } = await query(
      server.url('headframe'),
      `SELECT usename, count(*)::int FROM pg_stat_activity
        WHERE usename IN ('requests', 'service') AND application_name = 'headframe'
        GROUP BY 1 ORDER BY 1`,
    );
    // Each replica has one direct connection of the service's login, for heartbeats and notifications.
    expect(rows).toEqual([
      { usename: 'requests', count: expect.toSatisfy((count: number) => count <= 2) },
      { usename: 'service', count: expect.toSatisfy((count: number) => count >= 2 && count <= 4) },
    ]);
    for (const service of services) {
      expect(service.logLines().filter(({ level }) => Number(level) >= 40)).toEqual([]);
    }
  });

  it('a login brings the settings of its sessions along; without them a replica is not ready', async () => {
    const client = await run();
    expect(await readiness(client)).toMatch(/^200/);
    await query(
      server.url('headframe'),
      'ALTER ROLE requests IN DATABASE headframe RESET statement_timeout; ALTER ROLE requests IN DATABASE headframe RESET role',
    );
    await pooler.command('RECONNECT');
    await expect.poll(() => readiness(client)).toContain('requests does not bring them along');
    expect(await readiness(client)).toContain('role, statement_timeout');
    // Doing as it says.
    await run();
    await pooler.command('RECONNECT');
    await expect.poll(() => readiness(client)).toMatch(/^200/);
    const job = await client.submit(SLEEP, { seconds: 0 });
    expect((await client.ended(job)).status).toBe('succeeded');
  });

  it('jobs go on when the pooler connects anew', async () => {
    const client = await run();
    const jobs: string[] = [];
    for (let round = 0; round < 5; round += 1) {
      jobs.push(await client.submit(SLEEP, { seconds: 0.3, steps: 3 }));
      await pooler.command('RECONNECT');
    }
    for (const job of jobs) {
      expect((await client.ended(job)).status).toBe('succeeded');
    }
  });

  it('a replica that was not told of the pooler is not ready, and says what to set', async () => {
    await run();
    const client = await run({ DATABASE_DIRECT_URL: '', MIGRATE: 'false' });
    expect(await readiness(client)).toContain('Set DATABASE_DIRECT_URL');
    const { DATABASE_DIRECT_URL: _untold, ...untold } = addresses();
    expect(examined(untold)).toContain('Set DATABASE_DIRECT_URL');
    expect(examined(addresses())).toContain('the logins bring their settings along');
  });

  /** What the doctor finds. */
  const examined = (environment: Record<string, string>): string =>
    spawnSync(process.execPath, [DOCTOR], {
      env: { PATH: process.env.PATH, ...environment },
      encoding: 'utf8',
    }).stdout;

  it('a pooler that refuses settings of sessions is told how not to', async () => {
    await run();
    const strict = await startOwnPgBouncer(PGBOUNCER as string, server.url('headframe'), []);
    try {
      const client = await run({ ...addresses(strict), MIGRATE: 'false' });
      expect(await readiness(client)).toContain('ignore_startup_parameters = options');
    } finally {
      await strict.stop();
    }
  });

  it('migrations and the direct address are refused by way of the pooler', async () => {
    const connectionString = pooler.of(server.url('headframe', 'headframe'));
    await expect(applyMigrations({ connectionString, log: () => undefined })).rejects.toThrow(
      'set DATABASE_OWNER_URL to the address of the server itself',
    );
    const { DATABASE_URL, ...others } = addresses();
    const refused = await runService({
      ...others,
      DATABASE_URL,
      DATABASE_DIRECT_URL: DATABASE_URL,
    });
    expect(refused.code).toBe(1);
    expect(refused.output).toContain('DATABASE_DIRECT_URL leads through a connection pooler');
    const shared = await runService({ ...others, DATABASE_URL, DATABASE_API_URL: DATABASE_URL });
    expect(shared.code).toBe(1);
    expect(shared.output).toContain('DATABASE_API_URL: must be set beside DATABASE_DIRECT_URL');
  });
});
