import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client } from '../support/client.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { EventReader } from '../support/event-reader.js';
import { type Service, startService } from '../support/service.js';
import { token } from '../support/tokens.js';
import { freePort } from '../support/free-port.js';

const NGINX = ['/usr/sbin/nginx', '/usr/local/sbin/nginx'].find((path) => existsSync(path));
const NAME = `behind nginx${NGINX === undefined ? ' (not found: apt-get install nginx-light)' : ''}`;

/** What docs/following-jobs.md shows, and the rest as nginx has it by itself. */
const configuration = (port: number, folder: string, service: Service) => `
daemon off;
pid ${folder}/nginx.pid;
error_log stderr;
worker_processes 1;
events { worker_connections 256; }
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass ${service.url};
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host:$server_port;
      proxy_read_timeout 75s;
    }
  }
}
`;

describe.skipIf(NGINX === undefined)(NAME, () => {
  let database: TestDatabase;
  let service: Service;
  let nginx: ChildProcess;
  let folder: string;
  let url: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    service = await startService(database.url, { MAX_STREAMS_ORG: '1' });
    folder = mkdtempSync(join(tmpdir(), 'headframe-nginx-'));
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    const file = join(folder, 'nginx.conf');
    mkdirSync(join(folder, 'logs'));
    writeFileSync(file, configuration(port, folder, service));
    nginx = spawn(NGINX as string, ['-p', folder, '-c', file], { stdio: 'ignore' });
    const deadline = Date.now() + 10_000;
    while (!(await answers(`${url}/health/live`))) {
      if (nginx.exitCode !== null || Date.now() > deadline) {
        throw new Error('nginx did not start');
      }
      await sleep(25);
    }
  });
  afterAll(async () => {
    if (nginx !== undefined && nginx.exitCode === null) {
      nginx.kill('SIGTERM');
      await once(nginx, 'exit');
    }
    await service?.stop();
    await database?.drop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function newClient(): Promise<Client> {
    const org = randomUUID();
    return new Client(url, org, await token(org));
  }

  it('each event comes when it happens, and a client that goes away makes room', async () => {
    const client = await newClient();
    const job = await client.submit(
      'diagnostics/sleep',
      { seconds: 0, steps: 1 },
      { run_after: new Date(Date.now() + 3_600_000).toISOString() },
    );
    const reader = await EventReader.open(client, `${job}/events`);
    expect((await reader.next(1_000))?.data.status).toBe('requested');
    expect(reader.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(reader.headers.get('cache-control')).toBe('no-store');
    expect((await client.get(`${job}/events`)).status).toBe(429);
    await reader.close();
    await expect
      .poll(() =>
        EventReader.open(client, `${job}/events`).then(
          (again) => again.close(),
          () => 'full',
        ),
      )
      .toBe(undefined);
  });

  it('a job is followed from its start to its end', async () => {
    const client = await newClient();
    const job = await client.submit('diagnostics/sleep', { seconds: 1, steps: 2 });
    const reader = await EventReader.open(client, `${job}/events`);
    await reader.until(({ data }) => data.status === 'in progress');
    await reader.until(({ data }) => data.status === 'succeeded');
    expect((await reader.next())?.name).toBe('end');
    expect(await reader.next()).toBe(null);
  });

  it('a stream is kept open while nothing happens', async () => {
    const client = await newClient();
    const reader = await EventReader.open(client, 'jobs/events');
    await expect.poll(() => reader.comments.length, { timeout: 20_000 }).toBeGreaterThan(0);
    await reader.close();
  }, 30_000);

  it('an answer is held back for Prefer: wait', async () => {
    const client = await newClient();
    const job = await client.submit('diagnostics/sleep', { seconds: 0.5, steps: 1 });
    const { body } = await client.get(job, { prefer: 'wait=10' });
    expect(body.status).toBe('succeeded');
  });
});

const answers = (address: string): Promise<boolean> =>
  fetch(address).then(
    ({ status }) => status === 200,
    () => false,
  );
