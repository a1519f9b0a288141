import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Client } from '../support/client.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { manifest, tasksFolder } from '../support/process-tasks.js';
import { type Service, startService } from '../support/service.js';
import { token } from '../support/tokens.js';

let database: TestDatabase;
let api: Service;
let folder: string;

beforeAll(async () => {
  database = await createTestDatabase();
  folder = tasksFolder({
    // The parent of a command is the service.
    poison: manifest({ name: 'poison', command: ['/bin/sh', '-c', 'kill -KILL $PPID; sleep 5'] }),
  });
  api = await startService(database.url, { ROLE: 'api', TASKS_DIR: folder });
});
afterAll(async () => {
  await api?.stop();
  await database?.drop();
  rmSync(folder, { recursive: true, force: true });
});

it('a job that kills its workers fails after the third, and its neighbours succeed', async () => {
  const org = randomUUID();
  const client = new Client(api.url, org, await token(org));
  const neighbours = [];
  for (let count = 0; count < 40; count += 1) {
    neighbours.push(await client.submit('diagnostics/sleep', { seconds: 0.02, steps: 1 }));
  }
  const poison = await client.submit('test/poison', {});
  for (let count = 0; count < 40; count += 1) {
    neighbours.push(await client.submit('diagnostics/sleep', { seconds: 0.02, steps: 1 }));
  }

  /** Starts a worker again whenever it has died, as an orchestrator does. */
  let worker: Service | null = null;
  let supervising = true;
  const supervisor = (async () => {
    while (supervising) {
      worker = await startService(database.url, {
        ROLE: 'worker',
        TASKS_DIR: folder,
        WORKER_SLOTS: '4',
      });
      await worker.ended;
    }
  })();
  try {
    const { status, error } = await client.ended(poison, 60_000);
    expect(status).toBe('failed');
    expect(error.type).toMatch(/\/worker-lost$/);
    for (const job of neighbours) {
      expect((await client.ended(job, 60_000)).status).toBe('succeeded');
    }
  } finally {
    supervising = false;
    await (worker as Service | null)?.stop();
    await supervisor;
  }
}, 180_000);
