import { execFileSync, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, Client } from '../support/client.js';
import { type OwnPostgres, POSTGRES_PROGRAMS, startOwnPostgres } from '../support/own-postgres.js';
import { type Service, startService } from '../support/service.js';
import { token } from '../support/tokens.js';
import { query } from '../support/query.js';

/** A small disk of its own; null where none can be made. */
function smallDisk(): string | null {
  const folder = mkdtempSync(join(tmpdir(), 'headframe-disk-'));
  const made = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=192m,mode=0777', 'tmpfs', folder]);
  if (made.status === 0) return folder;
  rmSync(folder, { recursive: true });
  return null;
}

const disk = POSTGRES_PROGRAMS !== null && process.platform === 'linux' ? smallDisk() : null;
if (disk === null) {
  console.log(
    'test/e2e/full-disk.test.ts is skipped: it needs PostgreSQL (Debian: apt-get install postgresql) and root, to mount a small disk.',
  );
}

const SLEEP = 'diagnostics/sleep';

describe.skipIf(disk === null)('a full disk under the database', () => {
  const folder = disk as string;
  const org = randomUUID();
  let server: OwnPostgres;
  let service: Service;
  let client: Client;

  beforeAll(async () => {
    chmodSync(folder, 0o777);
    server = await startOwnPostgres(POSTGRES_PROGRAMS as string, {
      folder,
      settings: ['max_wal_size=64MB', 'min_wal_size=32MB', 'shared_buffers=16MB'],
    });
    await query(server.url('postgres'), `CREATE ROLE headframe LOGIN CREATEROLE PASSWORD 'secret'`);
    await query(server.url('postgres'), 'CREATE DATABASE headframe OWNER headframe');
    service = await startService(server.url('headframe', 'service'), {
      DATABASE_OWNER_URL: server.url('headframe', 'headframe'),
      DATABASE_API_URL: server.url('headframe', 'requests'),
      LEASE_SECONDS: '6',
    });
    client = new Client(service.url, org, await token(org));
  });
  afterAll(async () => {
    await service?.stop();
    await server?.stop();
    execFileSync('umount', ['--lazy', folder]);
    rmSync(folder, { recursive: true, force: true });
  });

  /** Takes all that is free, but for some kilobytes. */
  function fill(): string {
    const file = join(folder, 'filler');
    const { bavail, bsize } = statfsSync(folder);
    try {
      writeFileSync(file, Buffer.alloc(bavail * bsize));
    } catch (error) {
      // The server has written meanwhile: then it is full already.
      if ((error as { code?: string }).code !== 'ENOSPC') {
        throw error;
      }
    }
    return file;
  }

  it('is answered with 503, loses nothing that was accepted, and jobs go on when there is room', async () => {
    const accepted: string[] = [];
    const submit = async () => {
      const answer = await client.execute(SLEEP, { parameters: { seconds: 0.1, steps: 1 } });
      if (answer.status === 303) {
        accepted.push((answer.headers.get('location') as string).slice(0, -7));
      }
      return answer;
    };
    const running = await client.submit(SLEEP, { seconds: 3, steps: 30 });
    await client.waitFor(running, ({ progress }) => progress > 0);
    accepted.push(running);
    const filler = fill();
    // Tables cannot grow: a statement fails, the server lives.
    expectUnavailable(await firstOther(submit, 303));
    const { length: acceptedThen } = accepted;
    // Neither can its log: the server ends itself.
    await expect(
      query(
        server.url('headframe'),
        `SELECT count(pg_logical_emit_message(false, 'fill', repeat('x', 1000000))) FROM generate_series(1, 200)`,
      ),
    ).rejects.toThrow();
    expectUnavailable(await firstOther(submit, 303));
    expect((await fetch(`${service.url}/health/live`)).status).toBe(200);

    rmSync(filler);
    // It may have come up by itself, or have given up: then somebody starts it.
    await expect
      .poll(async () => {
        await server.restart();
        return (await fetch(`${service.url}/health/ready`)).status;
      })
      .toBe(200);
    for (const job of accepted) {
      expect((await client.ended(job, 60_000)).status).toBe('succeeded');
    }
    const next = await client.submit(SLEEP, { seconds: 0 });
    expect((await client.ended(next)).status).toBe('succeeded');
    expect(service.logLines().filter(({ level }) => Number(level) >= 60)).toEqual([]);
    console.log(
      `full disk: ${acceptedThen} jobs accepted before the first 503, ${accepted.length} in all, none lost`,
    );
  }, 180_000);
});

function expectUnavailable(answer: Answer): void {
  expect(answer.status).toBe(503);
  expect(answer.body.type).toMatch(/\/unavailable$/);
  expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(answer.text).not.toMatch(/space|disk|pg_wal|base\//);
}

/** The first answer with another status than this one. */
async function firstOther<T extends { status: number }>(
  ask: () => Promise<T>,
  status: number,
): Promise<T> {
  for (let count = 0; count < 5_000; count += 1) {
    const answer = await ask();
    if (answer.status !== status) return answer;
  }
  throw new Error(`Every one of 5,000 answers was ${status}.`);
}
