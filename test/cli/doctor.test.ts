import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Finding } from '../../src/cli/doctor/finding.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { type Service, startService } from '../support/service.js';
import { TEST_SECRET } from '../support/tokens.js';

const file = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

interface Told {
  readonly code: number;
  readonly output: string;
}

function run(
  program: string,
  words: readonly string[],
  env: Record<string, string>,
): Promise<Told> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [program, ...words],
      { env: { PATH: process.env.PATH, ...env } },
      (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : Number(error.code), output: stdout + stderr }),
    );
  });
}

describe('the doctor', () => {
  let database: TestDatabase;
  let owner: Client;
  let good: Record<string, string>;

  beforeAll(async () => {
    database = await createTestDatabase();
    owner = new Client(database.url);
    await owner.connect();
    good = { DATABASE_URL: database.url, AUTH_JWT_SECRET: TEST_SECRET, WORKER_MEMORY_MB: '128' };
  });
  afterAll(async () => {
    await owner?.end();
    await database?.drop();
  });

  async function examine(env: Record<string, string> = good) {
    const { code, output } = await run(file('dist/cli/doctor.js'), ['--json'], env);
    const { ok, findings } = JSON.parse(output) as { ok: boolean; findings: Finding[] };
    expect(ok).toBe(code === 0);
    return {
      code,
      of: (check: string) => findings.filter((each) => each.check === check),
      findings,
    };
  }

  it('finds nothing that fails where all is well, and changes nothing', async () => {
    const service: Service = await startService(database.url);
    try {
      const { code, of, findings } = await examine();
      expect(findings.filter(({ level }) => level === 'fail')).toEqual([]);
      expect(code).toBe(0);
      expect(of('workers')).toMatchObject([{ level: 'ok', found: '1 take jobs' }]);
      expect(of('versions')).toMatchObject([{ level: 'ok' }]);
      expect(of('clock')).toMatchObject([{ level: 'ok' }]);
      expect(JSON.stringify(findings)).not.toContain(TEST_SECRET);
    } finally {
      await service.end('SIGTERM');
    }
    const { rows } = await owner.query('SELECT count(*)::int AS workers FROM workers');
    expect(rows).toEqual([{ workers: 0 }]);
  });

  it('is told by headframe doctor, for people', async () => {
    const { code, output } = await run(file('packages/cli/bin/headframe.js'), ['doctor'], {
      ...good,
      HOME: tmpdir(),
    });
    expect(output).toMatch(/^(ok|WARN) +database +PostgreSQL /m);
    expect(output).toMatch(/\d failed, \d to look at, of \d+ checks/);
    expect(code).toBe(0);
  });

  it('says which variables are wrong', async () => {
    const { code, of } = await examine({ ...good, PORT: 'x', ROLE: 'y' });
    expect(code).toBe(1);
    expect(of('configuration').map(({ found }) => found.split(':')[0])).toEqual(['PORT', 'ROLE']);
  });

  it('says that the database cannot be reached, and no more of it', async () => {
    const { code, of } = await examine({ ...good, DATABASE_URL: 'postgres://x:y@127.0.0.1:1/z' });
    expect(code).toBe(1);
    expect(of('database')).toMatchObject([{ level: 'fail' }]);
    expect(of('database')[0]?.advice).toContain('Check DATABASE_URL');
    expect(of('migrations')).toEqual([]);
  });

  it('says that the database is not migrated, without migrating it', async () => {
    const empty = await createTestDatabase('empty');
    try {
      const { code, of } = await examine({ ...good, DATABASE_URL: empty.url });
      expect(code).toBe(1);
      expect(of('migrations')[0]).toMatchObject({ level: 'fail' });
      expect(of('migrations')[0]?.advice).toContain('migrate.js');
      const client = new Client(empty.url);
      await client.connect();
      const { rows } = await client.query(`SELECT to_regclass('_prisma_migrations') AS there`);
      await client.end();
      expect(rows).toEqual([{ there: null }]);
    } finally {
      await empty.drop();
    }
  });

  it('says which right a login lacks', async () => {
    await owner.query(`CREATE ROLE doctor_test LOGIN NOINHERIT PASSWORD 'secret'`);
    const url = new URL(database.url);
    [url.username, url.password] = ['doctor_test', 'secret'];
    try {
      const { code, of } = await examine({ ...good, DATABASE_URL: url.href });
      expect(code).toBe(1);
      expect(of('rights')[0]?.found).toContain('may not act as headframe_api');
    } finally {
      await owner.query('DROP ROLE doctor_test');
    }
  });

  it('says that jobs wait and nobody takes them', async () => {
    await owner.query(
      `INSERT INTO job_submissions (id, org_id, topic, task, created_at)
       VALUES (gen_random_uuid(), gen_random_uuid(), 'diagnostics', 'sleep', now() - interval '1 day')`,
    );
    await owner.query(
      `INSERT INTO job_queue (job_id, org_id, topic, task)
       SELECT id, org_id, topic, task FROM job_submissions`,
    );
    const { code, of } = await examine();
    expect(code).toBe(1);
    expect(of('workers')).toMatchObject([{ level: 'fail', found: '0 take jobs' }]);
    expect(of('queue')[0]?.found).toMatch(/^1 wait, the oldest since 86\d{3} s$/);
  });

  it('asks the identity provider for its keys, and says what it answered', async () => {
    let body = '{"keys":[]}';
    const provider = createServer((_request, response) => response.end(body)).listen(
      0,
      '127.0.0.1',
    );
    await once(provider, 'listening');
    const AUTH_JWKS_URI = `http://127.0.0.1:${(provider.address() as AddressInfo).port}/keys`;
    const env = { DATABASE_URL: database.url, AUTH_JWKS_URI, WORKER_MEMORY_MB: '128' };
    try {
      expect((await examine(env)).of('keys')).toMatchObject([
        { level: 'fail', found: '0 keys to verify with, of 0' },
      ]);
      body = 'nonsense';
      expect((await examine(env)).of('keys')[0]?.level).toBe('fail');
      body = '{"keys":[{"kty":"RSA","use":"sig"}]}';
      expect((await examine(env)).of('keys')).toMatchObject([{ level: 'ok' }]);
    } finally {
      provider.close();
    }
    expect((await examine(env)).of('keys')[0]?.advice).toContain('AUTH_JWKS_URI');
  });

  it('warns of more slots than there is memory for', async () => {
    const { of } = await examine({
      ...good,
      WORKER_SLOTS: '64',
      WORKER_MEMORY_MB: '65536',
    });
    expect(of('memory')).toMatchObject([{ level: 'warn' }]);
  });

  it('makes no data home, and says that there is none', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'headframe-'));
    try {
      const { code, of } = await examine({ DATA_HOME: join(folder, 'none') });
      expect(of('database')).toMatchObject([{ level: 'warn' }]);
      expect(code).toBe(1);
      expect(of('data home')).toMatchObject([{ level: 'fail' }]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
