import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { serverAccount } from '../../src/platform/database/embedded/server-account.js';

const DEBIAN = '/usr/lib/postgresql';

/** Folder of an installed PostgreSQL with server and client programs; null: there is none. */
export const POSTGRES_PROGRAMS: string | null =
  (existsSync(DEBIAN) ? readdirSync(DEBIAN) : [])
    .toSorted((a, b) => Number(b) - Number(a))
    .map((version) => join(DEBIAN, version, 'bin'))
    .find((folder) =>
      ['postgres', 'initdb', 'pg_dump', 'pg_dumpall', 'pg_restore', 'psql'].every((program) =>
        existsSync(join(folder, program)),
      ),
    ) ?? null;

export interface OwnPostgres {
  /** Address of a database, with a login: the superuser's unless another is named. */
  url(database: string, login?: string): string;
  stop(): Promise<void>;
}

/** A new, empty server of the installed PostgreSQL, on loopback; all logins have the password `secret`. */
export async function startOwnPostgres(programs: string): Promise<OwnPostgres> {
  const folder = mkdtempSync(join(tmpdir(), 'headframe-server-'));
  const account = serverAccount();
  if (account) chownSync(folder, account.uid, account.gid);
  const data = join(folder, 'data');
  const as = { ...account, cwd: folder, env: { PATH: '/usr/bin:/bin', LC_ALL: 'C.UTF-8' } };
  execFileSync(
    join(programs, 'initdb'),
    ['-D', data, '-U', 'admin', '-A', 'trust', '-E', 'UTF8', '--no-sync'],
    { ...as, stdio: 'ignore' },
  );
  const port = await freePort();
  const settings = ['fsync=off', 'timezone=UTC', 'unix_socket_directories=', `port=${port}`];
  const server = spawn(
    join(programs, 'postgres'),
    ['-D', data, '-h', '127.0.0.1', ...settings.flatMap((setting) => ['-c', setting])],
    { ...as, stdio: 'ignore' },
  );
  const url = (database: string, login = 'admin') =>
    `postgres://${login}:secret@127.0.0.1:${port}/${database}`;
  while (!(await answers(url('postgres')))) {
    if (server.exitCode !== null) throw new Error('The installed PostgreSQL did not start.');
    await sleep(50);
  }
  return {
    url,
    async stop() {
      if (server.exitCode === null && server.signalCode === null) {
        server.kill('SIGINT');
        await once(server, 'exit');
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function answers(url: string): Promise<boolean> {
  const client = new Client(url);
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.end();
    return true;
  } catch {
    return false;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  return port;
}
