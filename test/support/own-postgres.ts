import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { serverAccount } from '../../src/platform/database/embedded/server-account.js';
import { freePort } from './free-port.js';

const DEBIAN = '/usr/lib/postgresql';
const NEEDED = [
  'postgres',
  'initdb',
  'pg_basebackup',
  'pg_dump',
  'pg_dumpall',
  'pg_restore',
  'psql',
];

/** Folder of an installed PostgreSQL with server and client programs; null: there is none. */
export const POSTGRES_PROGRAMS: string | null =
  (existsSync(DEBIAN) ? readdirSync(DEBIAN) : [])
    .toSorted((a, b) => Number(b) - Number(a))
    .map((version) => join(DEBIAN, version, 'bin'))
    .find((folder) => NEEDED.every((program) => existsSync(join(folder, program)))) ?? null;

export interface OwnPostgres {
  readonly port: number;
  /** Address of a database, with a login: the superuser's unless another is named. */
  url(database: string, login?: string): string;
  /** Ends it as a crash does: nothing is written any more. Its data stay until `stop`. */
  crash(): Promise<void>;
  /** Starts it again on its data, if it has ended. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export interface OwnPostgresOptions {
  /** `name=value`, as after `postgres -c`. */
  readonly settings?: readonly string[];
  /** Makes it a streaming standby of the primary at this address, by this name. */
  readonly standbyOf?: { readonly url: string; readonly name: string };
  /** Where its data are; a new folder when it is not said. It is not removed at the end. */
  readonly folder?: string;
}

/** A server of the installed PostgreSQL, on loopback; all logins have the password `secret`. */
export async function startOwnPostgres(
  programs: string,
  options: OwnPostgresOptions = {},
): Promise<OwnPostgres> {
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'headframe-server-'));
  const account = serverAccount();
  if (account) chownSync(folder, account.uid, account.gid);
  const data = join(folder, 'data');
  const as = { ...account, cwd: folder, env: { PATH: '/usr/bin:/bin', LC_ALL: 'C.UTF-8' } };
  const [program, ...words] = cluster(data, options.standbyOf);
  await promisify(execFile)(join(programs, program as string), words, { ...as, timeout: 60_000 });
  const port = await freePort();
  const settings = [
    'fsync=off',
    'timezone=UTC',
    'unix_socket_directories=',
    `port=${port}`,
    ...(options.settings ?? []),
  ].flatMap((setting) => ['-c', setting]);
  const url = (database: string, login = 'admin') =>
    `postgres://${login}:secret@127.0.0.1:${port}/${database}`;
  const start = async () => {
    const started = spawn(
      join(programs, 'postgres'),
      ['-D', data, '-h', '127.0.0.1', ...settings],
      { ...as, stdio: 'ignore' },
    );
    while (!(await answers(url('postgres')))) {
      if (started.exitCode !== null) throw new Error('The installed PostgreSQL did not start.');
      await sleep(50);
    }
    return started;
  };
  let server = await start();
  const end = async (signal: NodeJS.Signals) => {
    if (server.exitCode === null && server.signalCode === null) {
      server.kill(signal);
      await once(server, 'exit');
    }
  };
  return {
    port,
    url,
    crash: () => end('SIGQUIT'),
    async restart() {
      if (server.exitCode !== null || server.signalCode !== null) server = await start();
    },
    async stop() {
      await end('SIGINT');
      if (options.folder === undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The command that makes the data of a server: empty ones, or a copy of a primary's. */
function cluster(data: string, primary: OwnPostgresOptions['standbyOf']): string[] {
  if (primary === undefined) {
    return ['initdb', '-D', data, '-U', 'admin', '-A', 'trust', '-E', 'UTF8', '--no-sync'];
  }
  const address = new URL(primary.url);
  address.searchParams.set('application_name', primary.name);
  return [
    'pg_basebackup',
    '-D',
    data,
    '-d',
    address.href,
    '-R',
    '-X',
    'stream',
    '-c',
    'fast',
    '-N',
  ];
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
