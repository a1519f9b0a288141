import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client } from '../support/client.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { manifest, tasksFolder } from '../support/process-tasks.js';
import { runService, type Service, startService } from '../support/service.js';
import { token } from '../support/tokens.js';

/** Looks for a word in what `/proc` shows of every process: names of files, never what is in them. */
const SPY = `read -r parameters
word=$(printf '%s' "$parameters" | sed 's/.*"word": *"\\([^"]*\\)".*/\\1/')
printf '%s' "$word" > word
found=$(grep -l -a -s -F -f word /proc/[0-9]*/environ /proc/[0-9]*/cmdline | tr '\\n' ' ')
printf '{"results": {"found": "%s", "own": "%s", "asked": "%s"}}\\n' "$found" "$(env | grep -c -F -f word)" "\${LICENSE_SERVER:-}"`;

describe.runIf(process.platform === 'linux')('the command of a process task', () => {
  const org = randomUUID();
  const word = `canary-${randomUUID()}`;
  let database: TestDatabase;
  let folder: string;
  let api: Service;
  let worker: Service;
  let client: Client;

  beforeAll(async () => {
    folder = tasksFolder({
      spy: manifest({
        name: 'spy',
        command: ['/bin/sh', '-c', SPY],
        env: ['LICENSE_SERVER'],
        parameters: { type: 'object', properties: { word: { type: 'string' } } },
      }),
    });
    database = await createTestDatabase();
    const environment = { TASKS_DIR: folder, LICENSE_SERVER: 'license.example:27000' };
    api = await startService(database.url, { ...environment, ROLE: 'api' });
    worker = await startService(database.url, {
      ...environment,
      ROLE: 'worker',
      AUTH_JWT_SECRET: '',
      AUTH_AUDIENCE: word,
      DATABASE_API_URL: `${database.url}?application_name=${word}`,
      SOMEBODY_ELSES_PASSWORD: word,
    });
    client = new Client(api.url, org, await token(org));
  });
  afterAll(async () => {
    await Promise.all([api?.stop(), worker?.stop()]);
    await database?.drop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('finds nothing of the service’s environment in any process, and what its manifest lists', async () => {
    const job = await client.submit('test/spy', { word });
    expect((await client.ended(job, 30_000)).status).toBe('succeeded');
    expect((await client.get(job)).body.results).toEqual({
      found: '',
      own: '0',
      asked: 'license.example:27000',
    });
  });

  it('and opens no debugger of the service by a signal', async () => {
    process.kill(worker.pid, 'SIGUSR1');
    // A request that is answered after it: the signal has been taken by then.
    expect((await fetch(`${worker.url}/health/live`)).status).toBe(200);
    expect(worker.log()).not.toContain('Debugger');
  });

  it('of a worker, which needs no key of tokens, and takes none', async () => {
    const { status } = await fetch(`${worker.url}/compute/orgs/${org}/tasks`, {
      headers: { authorization: `Bearer ${client.token}` },
    });
    expect([401, 404]).toContain(status);
    expect(worker.log()).not.toContain('cannot be hidden');
  });
});

describe('a worker in production', () => {
  it('starts without a key of tokens; an api does not', async () => {
    const environment = {
      NODE_ENV: 'production',
      DATABASE_URL: 'postgres://127.0.0.1:1/none',
      MIGRATE: 'false',
      TASKS_DIR: '/no/such/folder',
    };
    const worker = await runService({ ...environment, ROLE: 'worker' });
    expect(worker.output).toContain('TASKS_DIR: must be a folder');
    const api = await runService({ ...environment, ROLE: 'api' });
    expect(api.output).toContain('one must be set in production');
  });
});
