import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  defaultDataHome,
  startEmbeddedPostgres,
  temporaryDataHome,
} from '../../src/platform/database/embedded/embedded-postgres.js';

const USER = fileURLToPath(new URL('../support/use-embedded-postgres.mjs', import.meta.url));
const asRoot = process.platform === 'linux' && process.getuid?.() === 0;

describe('the embedded PostgreSQL', () => {
  let dataHome: string;
  const lines: string[] = [];
  const processes: ChildProcess[] = [];

  beforeAll(() => {
    dataHome = temporaryDataHome(process.cwd());
  });

  afterAll(async () => {
    for (const user of processes) user.kill('SIGKILL');
    try {
      await (await start()).stop();
    } finally {
      rmSync(dataHome, { recursive: true, force: true });
    }
  });

  const start = () =>
    startEmbeddedPostgres({ dataHome, fsync: false, log: (line) => void lines.push(line) });

  /** Another process that uses the server. */
  async function startElsewhere() {
    const user = spawn(process.execPath, [USER, dataHome], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    processes.push(user);
    const died = once(user, 'exit').then(() => Promise.reject(new Error('It did not start.')));
    const [line] = await Promise.race([once(createInterface(user.stdout), 'line'), died]);
    return { user, ...(JSON.parse(line as string) as { url: string; reused: boolean }) };
  }

  const clusterFile = (name: string) => join(dataHome, 'postgres', 'cluster', name);
  const serverPid = () =>
    Number(readFileSync(clusterFile('data/postmaster.pid'), 'utf8').split('\n')[0]);
  const runs = () => existsSync(clusterFile('data/postmaster.pid'));

  it('is set up once by two processes that start at the same time, and stopped by the last', async () => {
    mkdirSync(join(dataHome, 'postgres', 'cluster.1-left-by-a-kill.draft'), { recursive: true });

    const users = await Promise.all([startElsewhere(), startElsewhere()]);
    users.sort((a, b) => Number(a.reused) - Number(b.reused));
    const [starter, other] = users as [(typeof users)[0], (typeof users)[0]];

    expect([starter.reused, other.reused]).toEqual([false, true]);
    expect(other.url).toBe(starter.url);
    expect(await ask(other.url, 'SHOW timezone')).toBe('UTC');
    expect(await ask(other.url, 'SHOW listen_addresses')).toBe('127.0.0.1');
    expect(await ask(other.url, 'SHOW server_encoding')).toBe('UTF8');

    await end(starter.user, 'SIGTERM');
    expect(await ask(other.url, 'SELECT 1'), 'one still uses it').toBe(1);
    await end(other.user, 'SIGTERM');
    expect(runs(), 'the last to leave stops it').toBe(false);
  });

  it('keeps its data, its address and its password to itself', async () => {
    const first = await start();
    await ask(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await first.stop();
    await first.stop();

    const second = await start();
    expect(second).toMatchObject({ url: first.url, reused: false });
    expect(await ask(second.url, 'SELECT answer FROM kept')).toBe(42);
    await second.stop();

    if (process.platform !== 'win32') {
      expect(statSync(clusterFile('password')).mode & 0o777).toBe(0o600);
      expect(statSync(clusterFile('data')).mode & 0o777).toBe(0o700);
    }
  });

  it('outlives a starter that is killed, is taken over, and then stops in good order', async () => {
    const { user, url } = await startElsewhere();
    const pid = serverPid();
    await end(user, 'SIGKILL');
    expect(await ask(url, 'SELECT 1')).toBe(1);

    const heir = await start();
    expect(heir).toMatchObject({ url, reused: true });
    expect(serverPid()).toBe(pid);
    await heir.stop();
    expect(runs()).toBe(false);
  });

  it('is started again, at the same address, when it dies while in use', async () => {
    const server = await start();
    const pid = serverPid();
    process.kill(pid, 'SIGKILL');

    await expect
      .poll(() => ask(server.url, 'SELECT 1').catch(() => 0), { timeout: 20_000 })
      .toBe(1);
    expect(serverPid()).not.toBe(pid);
    await expect.poll(() => lines.at(-1)).toBe('The embedded PostgreSQL is back');
    await server.stop();
    expect(runs()).toBe(false);
  });

  it('is not mistaken for a program that was given its old process id', async () => {
    const stranger = spawnAsServerUser();
    writeFileSync(
      clusterFile('data/postmaster.pid'),
      `${stranger.pid}\n${clusterFile('data')}\n0\n5432\n\n127.0.0.1\n0 0\nready   \n`,
    );
    const server = await start();
    expect(server.reused).toBe(false);
    await server.stop();
    await end(stranger, 'SIGKILL');
  });

  /** A harmless process of the user that the server runs as. */
  function spawnAsServerUser(): ChildProcess {
    const { uid, gid } = statSync(clusterFile('data'));
    const stranger = spawn('/bin/sleep', ['60'], asRoot ? { uid, gid } : {});
    processes.push(stranger);
    return stranger;
  }

  it.runIf(asRoot)('says which folder the server may not enter', async () => {
    const closed = temporaryDataHome(process.cwd());
    chmodSync(closed, 0o700);
    const attempt = startEmbeddedPostgres({ dataHome: join(closed, 'home'), log: () => {} });
    await expect(attempt).rejects.toThrow(`may not enter ${closed}. Set DATA_HOME`);
    rmSync(closed, { recursive: true });
  });

  it.runIf(asRoot)('lives elsewhere when the project lies in a private folder of root', () => {
    const closed = temporaryDataHome(process.cwd());
    expect(defaultDataHome(closed)).toBe(join(closed, '.headframe'));
    chmodSync(closed, 0o700);
    const elsewhere = defaultDataHome(closed);
    expect(elsewhere).toMatch(/^\/var\/lib\/headframe\/[0-9a-f]{12}$/);
    expect(defaultDataHome(closed)).toBe(elsewhere);
    expect(defaultDataHome(join(closed, 'other'))).not.toBe(elsewhere);
    rmSync(closed, { recursive: true });
  });

  it.runIf(process.platform === 'linux')('says so when the disk is full', async ({ skip }) => {
    const home = temporaryDataHome(process.cwd());
    const small = join(home, 'small');
    mkdirSync(small);
    try {
      if (!mountSmall(small)) skip('this process may not mount a small file system');
      const attempt = startEmbeddedPostgres({ dataHome: small, log: () => {} });
      await expect(attempt).rejects.toThrow(/The disk that holds .*small is full/);
      execFileSync('umount', [small]);
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  });

  /** A file system of 16 MB, where this process may mount one. */
  function mountSmall(folder: string): boolean {
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m,mode=0711', 'tmpfs', folder], {
        stdio: 'ignore',
      });
      return true;
    } catch {
      return false;
    }
  }
});

async function ask(url: string, sql: string): Promise<unknown> {
  const client = new Client(url);
  client.on('error', () => {});
  await client.connect();
  try {
    const { rows } = await client.query({ text: sql, rowMode: 'array' });
    return (rows as unknown[][])[0]?.[0];
  } finally {
    await client.end();
  }
}

async function end(user: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const ended = once(user, 'exit');
  user.kill(signal);
  await ended;
}
