import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { Client } from '../support/client.js';
import { createTestDatabase } from '../support/database.js';
import { TEST_SECRET, token } from '../support/tokens.js';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
/** A device that is always full. */
const FULL = '/dev/full';

it.skipIf(!existsSync(FULL))(
  'a full disk under the log costs lines: jobs run, and the service stops when it is told to',
  async ({ onTestFinished }) => {
    const database = await createTestDatabase();
    const port = await freePort();
    const service = spawn(
      '/bin/sh',
      ['-c', `exec "$0" "$1" > ${FULL} 2>&1`, process.execPath, MAIN],
      {
        env: {
          PATH: process.env.PATH,
          PORT: String(port),
          DATABASE_URL: database.url,
          AUTH_JWT_SECRET: TEST_SECRET,
          SHUTDOWN_SECONDS: '1',
        },
        stdio: 'ignore',
      },
    );
    const ended = once(service, 'exit');
    onTestFinished(async () => {
      service.kill('SIGKILL');
      await ended;
      await database.drop();
    });
    const url = `http://127.0.0.1:${port}`;
    await expect
      .poll(async () => (await fetch(`${url}/health/ready`).catch(() => null))?.status)
      .toBe(200);
    const org = randomUUID();
    const client = new Client(url, org, await token(org));
    for (let count = 0; count < 50; count += 1) {
      const job = await client.submit('diagnostics/sleep', { seconds: 0 });
      expect((await client.ended(job)).status).toBe('succeeded');
    }
    service.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
  },
);

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  return port;
}
