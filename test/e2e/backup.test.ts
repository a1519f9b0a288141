import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client } from '../support/client.js';
import { type OwnPostgres, POSTGRES_PROGRAMS, startOwnPostgres } from '../support/own-postgres.js';
import { runService, type Service, startService } from '../support/service.js';
import { token } from '../support/tokens.js';
import { query } from '../support/query.js';

const PAGE = readFileSync(fileURLToPath(new URL('../../docs/backup.md', import.meta.url)), 'utf8');

/** The commands of the page below a heading, as they stand there. */
const commandsBelow = (heading: string): string =>
  [...(PAGE.split(`## ${heading}\n`)[1]?.split('\n## ')[0] ?? '').matchAll(/```sh\n(.*?)```/gs)]
    .map(([, commands]) => commands)
    .join('');

if (POSTGRES_PROGRAMS === null) {
  console.log(
    'test/e2e/backup.test.ts is skipped: it needs pg_dump and a server of the same version (Debian: apt-get install postgresql).',
  );
}

describe.skipIf(POSTGRES_PROGRAMS === null)('a backup, by the commands of docs/backup.md', () => {
  const programs = POSTGRES_PROGRAMS as string;
  const org = randomUUID();
  const body = { parameters: { seconds: 0, steps: 1 } };
  const key = { 'idempotency-key': 'nightly-7' };
  let folder: string;
  let old: OwnPostgres;
  let servers: OwnPostgres[] = [];
  let services: Service[] = [];
  const jobs = { ended: '', running: '', waiting: '', keyed: '' };

  async function startServer(): Promise<OwnPostgres> {
    const server = await startOwnPostgres(programs);
    servers.push(server);
    return server;
  }

  async function run(server: OwnPostgres): Promise<Client> {
    const service = await startService(server.url('headframe', 'service'), environment(server));
    services.push(service);
    return new Client(service.url, org, await token(org));
  }

  const environment = (server: OwnPostgres) => ({
    DATABASE_OWNER_URL: server.url('headframe', 'headframe'),
    DATABASE_API_URL: server.url('headframe', 'requests'),
    WORKER_SLOTS: '1',
    LEASE_SECONDS: '3',
    SHUTDOWN_SECONDS: '0',
  });

  const shell = (commands: string, variables: Record<string, string>) =>
    spawnSync('/bin/sh', ['-c', `set -e\n${commands}`], {
      cwd: folder,
      env: { PATH: `${programs}:/usr/bin:/bin`, ...variables },
      encoding: 'utf8',
    });

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'headframe-backup-'));
    old = await startServer();
    await query(old.url('postgres'), `CREATE ROLE headframe LOGIN CREATEROLE PASSWORD 'secret'`);
    await query(old.url('postgres'), 'CREATE DATABASE headframe OWNER headframe');
    const client = await run(old);
    jobs.ended = await client.submit('diagnostics/sleep', body.parameters);
    expect((await client.ended(jobs.ended)).status).toBe('succeeded');
    jobs.running = await client.submit('diagnostics/sleep', { seconds: 4, steps: 4 });
    await client.waitFor(jobs.running, ({ status }) => status === 'in progress');
    jobs.waiting = await client.submit('diagnostics/sleep', body.parameters);
    const keyed = await client.execute('diagnostics/sleep', body, key);
    jobs.keyed = (keyed.headers.get('location') as string).replace(/\/status$/, '');
    const made = shell(commandsBelow('Back up'), { ADMIN_URL: old.url('headframe') });
    expect(made).toMatchObject({ status: 0 });
    // Whatever it would still do, it does not reach the new server.
    await services[0]?.stop();
  });
  afterAll(async () => {
    await Promise.all(services.map((service) => service.stop()));
    await Promise.all(servers.map((server) => server.stop()));
    rmSync(folder, { recursive: true, force: true });
    services = [];
    servers = [];
  });

  it('cannot be made by the owner of the tables', () => {
    const owner = old.url('headframe', 'headframe');
    const { status, stderr } = spawnSync(join(programs, 'pg_dump'), ['--dbname', owner], {
      encoding: 'utf8',
    });
    expect(status).not.toBe(0);
    expect(stderr).toContain('query would be affected by row-level security policy');
  });

  it('is restored: results are there, jobs run again, and no key or id is used twice', async () => {
    const fresh = await startServer();
    const restored = shell(commandsBelow('Restore'), {
      NEW_ADMIN_URL: fresh.url('postgres'),
      NEW_URL: fresh.url('headframe'),
    });
    expect(restored).toMatchObject({ status: 0 });
    const client = await run(fresh);
    expect((await client.get(jobs.ended)).body).toMatchObject({
      status: 'succeeded',
      results: { steps: 1 },
    });
    for (const job of [jobs.running, jobs.waiting, jobs.keyed]) {
      expect((await client.ended(job, 60_000)).status).toBe('succeeded');
    }
    // The worker of the old server was taken for lost.
    expect((await client.get(`${jobs.running}/detail`)).body).toMatchObject({
      attempt: 2,
      crashes: 1,
    });
    const again = await client.execute('diagnostics/sleep', body, key);
    expect(again.headers.get('location')).toBe(`${jobs.keyed}/status`);
    const next = await client.submit('diagnostics/sleep', body.parameters);
    expect(Object.values(jobs)).not.toContain(next);
  });

  it('of which only a part is left is noticed: when it is read, restored, and by the service', async () => {
    const fresh = await startServer();
    const addresses = { NEW_ADMIN_URL: fresh.url('postgres'), NEW_URL: fresh.url('headframe') };
    const whole = readFileSync(join(folder, 'headframe.dump'));
    const restore = commandsBelow('Restore').replace('headframe.dump', 'part.dump');
    // Within the list of what it holds, and within the rows behind it.
    for (const part of [0.5, 0.99]) {
      writeFileSync(join(folder, 'part.dump'), whole.subarray(0, Math.floor(whole.length * part)));
      expect(shell('pg_restore --file=/dev/null part.dump', {}).status).not.toBe(0);
      expect(shell(restore, addresses).status).not.toBe(0);
      const { rows } = await query(fresh.url('headframe'), `SELECT to_regclass('jobs') AS jobs`);
      expect(rows).toEqual([{ jobs: null }]);
      await query(fresh.url('postgres'), 'DROP DATABASE headframe');
    }
    // Not by the page: what can be restored is.
    await query(fresh.url('postgres'), 'CREATE DATABASE headframe OWNER headframe');
    expect(shell('pg_restore --dbname "$NEW_URL" part.dump', addresses).status).not.toBe(0);
    for (const MIGRATE of ['false', 'true']) {
      const service = await startService(fresh.url('headframe', 'service'), {
        ...environment(fresh),
        MIGRATE,
      });
      services.push(service);
      const ready = await fetch(`${service.url}/health/ready`);
      expect(ready.status).toBe(503);
      expect(await ready.text()).toContain('was restored in part');
    }
  });

  it('that is restored without its roles is refused at the start, with what to do', async () => {
    const bare = await startServer();
    await query(bare.url('postgres'), `CREATE ROLE headframe LOGIN CREATEROLE PASSWORD 'secret'`);
    await query(bare.url('postgres'), 'CREATE DATABASE headframe OWNER headframe');
    // Without --exit-on-error: what cannot be granted is passed over.
    spawnSync(
      join(programs, 'pg_restore'),
      ['--dbname', bare.url('headframe'), join(folder, 'headframe.dump')],
      { stdio: 'ignore' },
    );
    const refused = await runService({
      DATABASE_URL: bare.url('headframe', 'service'),
      ...environment(bare),
      AUTH_JWT_SECRET: 'x'.repeat(40),
      PORT: '0',
    });
    expect(refused.code).toBe(1);
    expect(refused.output).toContain('restored without its roles');
    expect(refused.output).not.toContain('    at ');
    // Doing as it says: the roles, then the dump once more into an empty database.
    const roles = refused.output.match(/CREATE ROLE headframe_\w+ NOLOGIN;/g) ?? [];
    expect(roles).toHaveLength(3);
    for (const statement of roles) await query(bare.url('postgres'), statement);
    await query(bare.url('postgres'), 'DROP DATABASE headframe');
    const restored = shell(commandsBelow('Restore'), {
      NEW_ADMIN_URL: bare.url('postgres'),
      NEW_URL: bare.url('headframe'),
    });
    expect(restored).toMatchObject({ status: 0 });
    const client = await run(bare);
    expect((await client.get(jobs.ended)).status).toBe(200);
  });
});
