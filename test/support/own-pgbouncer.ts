import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { serverAccount } from '../../src/platform/database/embedded/server-account.js';
import { freePort } from './free-port.js';

/** The installed PgBouncer; null: there is none. */
export const PGBOUNCER: string | null =
  ['/usr/sbin/pgbouncer', '/usr/bin/pgbouncer'].find((path) => existsSync(path)) ?? null;

export interface OwnPgBouncer {
  /** The same address as a server's, by way of the pooler. */
  of(url: string): string;
  /** A command for its console, such as `RECONNECT`. */
  command(words: string): Promise<unknown>;
  stop(): Promise<void>;
}

/**
 * A pooler in front of a server on loopback, in transaction mode, with two connections to the server for
 * each login: fewer than its clients have, so that they meet in the same sessions.
 * @param settings lines of its configuration
 */
export async function startOwnPgBouncer(
  program: string,
  server: string,
  settings: readonly string[] = ['ignore_startup_parameters = options,extra_float_digits'],
): Promise<OwnPgBouncer> {
  const folder = mkdtempSync(join(tmpdir(), 'headframe-pgbouncer-'));
  const account = serverAccount();
  const port = await freePort();
  const logins = ['admin', 'headframe', 'service', 'requests'];
  writeFileSync(join(folder, 'users'), logins.map((login) => `"${login}" "secret"\n`).join(''));
  const { hostname, port: serverPort } = new URL(server);
  const lines = [
    '[databases]',
    `headframe = host=${hostname} port=${serverPort}`,
    '[pgbouncer]',
    'listen_addr = 127.0.0.1',
    `listen_port = ${port}`,
    'unix_socket_dir =',
    'auth_type = trust',
    `auth_file = ${join(folder, 'users')}`,
    'admin_users = admin',
    'pool_mode = transaction',
    'default_pool_size = 2',
    'max_client_conn = 200',
    ...settings,
  ];
  writeFileSync(join(folder, 'pgbouncer.ini'), `${lines.join('\n')}\n`);
  for (const path of [folder, join(folder, 'users'), join(folder, 'pgbouncer.ini')]) {
    if (account) chownSync(path, account.uid, account.gid);
  }
  const pooler = spawn(program, ['-q', join(folder, 'pgbouncer.ini')], {
    ...account,
    cwd: folder,
    stdio: 'ignore',
  });
  const console = `postgres://admin:secret@127.0.0.1:${port}/pgbouncer`;
  while (!(await command(console, 'SHOW VERSION').catch(() => null))) {
    if (pooler.exitCode !== null) throw new Error('The installed PgBouncer did not start.');
    await sleep(50);
  }
  return {
    of(url) {
      const pooled = new URL(url);
      pooled.port = String(port);
      return pooled.href;
    },
    command: (words) => command(console, words),
    async stop() {
      if (pooler.exitCode === null && pooler.signalCode === null) {
        pooler.kill('SIGTERM');
        await once(pooler, 'exit');
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function command(console: string, words: string): Promise<unknown> {
  const client = new Client(console);
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await client.query(words);
  } finally {
    await client.end();
  }
}
