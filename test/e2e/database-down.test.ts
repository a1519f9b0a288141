import { randomUUID } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type EmbeddedPostgres,
  startEmbeddedPostgres,
  temporaryDataHome,
} from '../../src/platform/database/embedded/embedded-postgres.js';
import { Client } from '../support/client.js';
import { type Service, startService } from '../support/service.js';
import { token } from '../support/tokens.js';

describe('the database goes down and comes back', () => {
  const org = randomUUID();
  let dataHome: string;
  let server: EmbeddedPostgres;
  let service: Service;
  let client: Client;

  beforeAll(async () => {
    dataHome = temporaryDataHome(process.cwd());
    server = await startEmbeddedPostgres({ dataHome, fsync: false, log: () => undefined });
    service = await startService(server.url, { LEASE_SECONDS: '6' });
    client = new Client(service.url, org, await token(org));
  });
  afterAll(async () => {
    await service?.stop();
    await server?.stop();
    rmSync(dataHome, { recursive: true, force: true, maxRetries: 3 });
  });

  it('answers 503 meanwhile, survives, and ends every job that was accepted', async () => {
    const [running, waiting] = [
      await client.submit('diagnostics/sleep', { seconds: 2, steps: 20 }),
      await client.submit('diagnostics/sleep', { seconds: 1, steps: 5 }),
    ];
    await client.submit('diagnostics/sleep', { seconds: 0 });
    await client.waitFor(running, ({ progress }) => progress > 0);
    await server.stop();

    const refused = [
      await client.get(`${running}/status`),
      await client.get(running),
      await client.delete(running),
      await client.execute('diagnostics/sleep', { parameters: { seconds: 0 } }),
    ];
    for (const answer of refused) {
      expect(answer.status).toBe(503);
      expect(answer.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
      expect(answer.body.type).toMatch(/\/unavailable$/);
      expect(answer.text).not.toMatch(/ECONNREFUSED|127\.0\.0\.1|terminat/);
    }
    expect((await fetch(`${service.url}/health/live`)).status).toBe(200);
    expect((await fetch(`${service.url}/health/ready`)).status).toBe(503);
    // The catalogue needs no database.
    expect((await client.get('tasks')).status).toBe(200);

    server = await startEmbeddedPostgres({ dataHome, fsync: false, log: () => undefined });
    await expect.poll(async () => (await fetch(`${service.url}/health/ready`)).status).toBe(200);
    for (const job of [running, waiting]) {
      expect((await client.ended(job)).status).toBe('succeeded');
    }
    const after = await client.submit('diagnostics/sleep', { seconds: 0 });
    expect((await client.ended(after)).status).toBe('succeeded');
  });

  it('survives a crash of the server, and the loss of all its connections', async () => {
    const job = await client.submit('diagnostics/sleep', { seconds: 3, steps: 30 });
    await client.waitFor(job, ({ progress }) => progress > 0);
    const postmaster = await postmasterOf(server.url);
    process.kill(postmaster, 'SIGQUIT');
    // Its users start it again, on the same port; here the test is one of them.
    expect((await client.waitFor(job, ({ links }) => 'result' in links, 40_000)).status).toBe(
      'succeeded',
    );
    expect(service.logLines().filter(({ level }) => Number(level) >= 50)).toEqual([]);
  });
});

/** The process id of the server: the first line of its lock file. */
async function postmasterOf(url: string): Promise<number> {
  const connection = new pg.Client(url);
  await connection.connect();
  const { rows } = await connection.query<{ data_directory: string }>('SHOW data_directory');
  await connection.end();
  const file = join(rows[0]?.data_directory as string, 'postmaster.pid');
  return Number(readFileSync(file, 'utf8').split('\n', 1)[0]);
}
