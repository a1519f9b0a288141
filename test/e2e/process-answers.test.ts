import { randomUUID } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client } from '../support/client.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { manifest, tasksFolder } from '../support/process-tasks.js';
import { startService } from '../support/service.js';
import { token } from '../support/tokens.js';

/** Notes that it ran, says its results with its progress, and does not end; nor does what it started. */
const LINGERS = `trap '' TERM; echo run >> {folder}/runs
sh -c "trap '' TERM; while :; do sleep 0.05; done" &
echo '{"progress": 7, "message": "done", "results": {"a": 1}}'
while :; do sleep 0.05; done`;

describe('results of a command that does not end', () => {
  const org = randomUUID();
  let database: TestDatabase;
  let folder: string;
  beforeAll(async () => {
    database = await createTestDatabase();
    folder = tasksFolder({
      lingers: manifest({
        name: 'lingers',
        command: ['/bin/sh', '-c', LINGERS],
        grace_seconds: 60,
        max_attempts: 5,
      }),
    });
  });
  afterAll(async () => {
    await database?.drop();
    rmSync(folder, { recursive: true, force: true });
  });

  const runs = () => readFileSync(join(folder, 'lingers', 'runs'), 'utf8').split('\n').length - 1;

  async function expectSucceeded(client: Client, job: string): Promise<void> {
    expect(await client.ended(job)).toMatchObject({ status: 'succeeded', progress: 100 });
    expect((await client.get(job)).body).toEqual({ status: 'succeeded', results: { a: 1 } });
    expect((await client.get(`${job}/detail`)).body).toMatchObject({
      attempt: 1,
      failures: 0,
      attempts: [{ outcome: 'succeeded' }],
    });
  }

  it('count at a timeout, before a cancel, and when the service shuts down, without a second run', async () => {
    const environment = { TASKS_DIR: folder, SHUTDOWN_SECONDS: '0' };
    const bearer = await token(org);
    const first = await startService(database.url, environment);
    const client = new Client(first.url, org, bearer);
    try {
      const timed = await client.submit('test/lingers', {}, { timeout: 1 });
      await expectSucceeded(client, timed);
      const canceled = await client.submit('test/lingers', {});
      await client.waitFor(canceled, ({ status }) => status === 'succeeded');
      expect((await client.delete(canceled)).status).toBe(204);
      await expectSucceeded(client, canceled);
      expect(runs()).toBe(2);

      const drained = await client.submit('test/lingers', {});
      await client.waitFor(drained, ({ status }) => status !== 'requested');
      await expect.poll(runs, { timeout: 20_000 }).toBe(3);
      await client.waitFor(drained, ({ progress }) => progress >= 7);
      expect(await first.end('SIGTERM')).toBe(0);
      const second = await startService(database.url, environment);
      try {
        await expectSucceeded(new Client(second.url, org, bearer), drained);
        expect(runs()).toBe(3);
      } finally {
        await second.stop();
      }
    } finally {
      await first.stop();
    }
  }, 60_000);
});
