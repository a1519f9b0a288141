import { createServer, type Server } from 'node:net';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { runService } from '../support/service.js';
import { TEST_SECRET } from '../support/tokens.js';

describe('a replica that cannot have its address', () => {
  let busy: Server;
  let port: string;
  let database: TestDatabase;

  beforeAll(async () => {
    database = await createTestDatabase();
    busy = createServer().listen(0, '127.0.0.1');
    await once(busy, 'listening');
    port = String((busy.address() as { port: number }).port);
  });
  afterAll(async () => {
    busy?.close();
    await database?.drop();
  });

  it('says so in one sentence, and has touched no job', async () => {
    const connection = new pg.Client(database.url);
    await connection.connect();
    await connection.query(
      `WITH job AS (
         INSERT INTO job_submissions (id, org_id, topic, task)
         SELECT gen_random_uuid(), gen_random_uuid(), 'diagnostics', 'sleep' FROM generate_series(1, 5) RETURNING *
       )
       INSERT INTO job_queue (job_id, org_id, topic, task) SELECT id, org_id, topic, task FROM job`,
    );
    const { code, output } = await runService({
      PORT: port,
      DATABASE_URL: database.url,
      AUTH_JWT_SECRET: TEST_SECRET,
    });
    expect(code).toBe(1);
    expect(output).toContain(`Headframe cannot listen on 127.0.0.1, port ${port}: another process`);
    expect(output).not.toContain('    at ');
    const { rows } = await connection.query('SELECT DISTINCT status, attempt FROM jobs');
    expect(rows).toEqual([{ status: 'requested', attempt: 0 }]);
    expect((await connection.query('SELECT 1 FROM workers')).rowCount).toBe(0);
    await connection.end();
  });

  it('blames the host, not the database, when the host is wrong', async () => {
    const { code, output } = await runService({
      HOST: 'nosuch.invalid',
      DATABASE_URL: database.url,
      AUTH_JWT_SECRET: TEST_SECRET,
    });
    expect(code).toBe(1);
    expect(output).toContain('Headframe cannot listen on nosuch.invalid');
  });

  it('leaves no embedded database behind', async () => {
    const home = await mkdtemp(join(tmpdir(), 'headframe-start-'));
    try {
      const { code } = await runService({ PORT: port, DATA_HOME: home });
      expect(code).toBe(1);
      const pidFile = join(home, 'postgres/cluster/data/postmaster.pid');
      await expect(readFile(pidFile)).rejects.toMatchObject({ code: 'ENOENT' });
    } finally {
      await rm(home, { recursive: true, force: true });
    }
  });
});
