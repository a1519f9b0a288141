import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs';
import { type ChildProcess, spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LogDestination } from '../../src/platform/logging/log-destination.js';
import { Client } from '../support/client.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { Scrape } from '../support/scrape.js';
import { TEST_SECRET, token } from '../support/tokens.js';
import { freePort } from '../support/free-port.js';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

describe('a log that cannot be written', () => {
  const org = randomUUID();
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database?.drop());

  async function replica(stdout: number | 'pipe'): Promise<{ child: ChildProcess; url: string }> {
    const port = await freePort();
    const child = spawn(process.execPath, [MAIN], {
      env: {
        PATH: process.env.PATH,
        PORT: String(port),
        DATABASE_URL: database.url,
        AUTH_JWT_SECRET: TEST_SECRET,
      },
      stdio: ['ignore', stdout, 'ignore'],
    });
    return { child, url: `http://127.0.0.1:${port}` };
  }

  async function worksAndEnds(child: ChildProcess, url: string): Promise<void> {
    const ended = once(child, 'exit');
    try {
      await expect
        .poll(async () => (await fetch(`${url}/health/ready`).catch(() => null))?.status)
        .toBe(200);
      const client = new Client(url, org, await token(org));
      const job = await client.submit('diagnostics/sleep', { seconds: 0 });
      expect((await client.ended(job)).status).toBe('succeeded');
      const lost = (await Scrape.of(`${url}/metrics`)).value('headframe_log_lines_lost_total');
      expect(lost).toBeGreaterThan(0);
      child.kill('SIGTERM');
      expect(await ended).toEqual([0, null]);
    } finally {
      child.kill('SIGKILL');
    }
  }

  it('does not hold up the service while its disk is full, nor its end', async () => {
    const full = openSync('/dev/full', 'w');
    const { child, url } = await replica(full);
    closeSync(full);
    await worksAndEnds(child, url);
  });

  it('does not end the service when its reader goes away', async () => {
    const { child, url } = await replica('pipe');
    child.stdout?.destroy();
    await worksAndEnds(child, url);
  });

  it('says, when it can be written again, how many lines are missing', () => {
    const path = join(tmpdir(), `headframe-log-${randomUUID()}`);
    const good = openSync(path, 'a');
    const destination = new LogDestination(openSync('/dev/full', 'w'));
    try {
      destination.write('{"msg":"one"}\n');
      destination.write('{"msg":"two"}\n');
      Object.assign(destination, { fd: good });
      destination.write('{"msg":"three"}\n');
      destination.write('{"msg":"four"}\n');
      const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
      expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
        { level: 40, lost: 2 },
        { msg: 'three' },
        { msg: 'four' },
      ]);
    } finally {
      closeSync(good);
      rmSync(path);
    }
  });
});
