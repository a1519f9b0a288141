import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Binaries } from './binaries.js';
import { SERVER_ENVIRONMENT, type Cluster } from './cluster.js';
import { EmbeddedPostgresError } from './embedded-postgres.error.js';
import { serverAccount } from './server-account.js';

const LOG_LIMIT_BYTES = 10 * 1024 * 1024;
/** A fast shutdown rolls open transactions back and writes a checkpoint: seconds at the worst. */
const FAST_SHUTDOWN_MS = 15_000;
/** After this one the next start replays the write-ahead log, as after a crash: nothing is lost. */
const IMMEDIATE_SHUTDOWN_MS = 5_000;

/** A server process that is alive, as its postmaster.pid tells. */
export interface Postmaster {
  pid: number;
  port: number;
  /** It has finished starting (or recovering) and is not shutting down. */
  ready: boolean;
}

/**
 * The live server of this data directory, regardless of who started it; undefined when there is none.
 * A postmaster.pid whose process is gone, or is by now another program, counts as none.
 */
export function findPostmaster(dataDirectory: string): Postmaster | undefined {
  const [pid, , , port, , , , status] = pidFile(dataDirectory);
  if (!Number(pid) || !Number(port)) return undefined;
  if (!isServerOf(dataDirectory, Number(pid))) return undefined;
  return { pid: Number(pid), port: Number(port), ready: status?.trim() === 'ready' };
}

function pidFile(dataDirectory: string): string[] {
  try {
    return readFileSync(join(dataDirectory, 'postmaster.pid'), 'utf8').split('\n');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** Only Linux tells what a process id runs; elsewhere a live process is believed (its password still proves it). */
function isServerOf(dataDirectory: string, pid: number): boolean {
  if (!isAlive(pid)) return false;
  if (process.platform !== 'linux') return true;
  try {
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    return command.includes(dataDirectory); // empty for a dead process that nobody has reaped
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES';
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** What one start of the server may set otherwise. */
export interface ServerTuning {
  readonly fsync: boolean;
  /** Further settings, by PostgreSQL's names. */
  readonly settings: Readonly<Record<string, string>>;
}

/**
 * Starts the server process, detached: Ctrl-C in the terminal does not reach it, and it outlives a
 * hard kill of this process. It is not ready yet when this returns.
 *
 * Two that start at the same time are told apart by PostgreSQL itself: the second finds
 * postmaster.pid taken and exits.
 */
export function spawnPostmaster(
  cluster: Cluster,
  binaries: Binaries,
  options: ServerTuning & { readonly port: number },
): ChildProcess {
  forgetForeignPidFile(cluster.dataDirectory);
  const settings = {
    listen_addresses: '127.0.0.1',
    port: options.port,
    unix_socket_directories: '',
    timezone: 'UTC',
    log_timezone: 'UTC',
    max_connections: 100,
    shared_buffers: '128MB',
    cluster_name: 'headframe',
    ...(options.fsync ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
    ...options.settings,
  };
  if ((statSync(cluster.logFile, { throwIfNoEntry: false })?.size ?? 0) > LOG_LIMIT_BYTES) {
    truncateSync(cluster.logFile);
  }
  const output = openSync(cluster.logFile, 'a', 0o600);
  try {
    const parameters = Object.entries(settings).map(([name, value]) => `--${name}=${value}`);
    const child = spawn(binaries.postgres, ['-D', cluster.dataDirectory, ...parameters], {
      cwd: cluster.dataDirectory,
      env: SERVER_ENVIRONMENT,
      detached: true,
      stdio: ['ignore', output, output],
      windowsHide: true,
      ...serverAccount(cluster.dataDirectory),
    });
    child.unref();
    return child;
  } finally {
    closeSync(output);
  }
}

/**
 * After a crash (of a container, say) the process id in postmaster.pid can have been given to
 * another program of the same user; PostgreSQL then takes it for a live server and never starts.
 */
function forgetForeignPidFile(dataDirectory: string): void {
  const pid = Number(pidFile(dataDirectory)[0]);
  if (process.platform !== 'linux' || !pid || !isAlive(pid)) return;
  if (!isServerOf(dataDirectory, pid)) {
    rmSync(join(dataDirectory, 'postmaster.pid'), { force: true });
  }
}

/**
 * Stops the server: a fast shutdown, then an immediate one. Throws EmbeddedPostgresError when it is
 * still there after both (about 20 s).
 */
export async function stopPostmaster(
  cluster: Cluster,
  binaries: Binaries,
  pid: number,
): Promise<void> {
  for (const [signal, mode, patience] of [
    ['SIGINT', 'fast', FAST_SHUTDOWN_MS],
    ['SIGQUIT', 'immediate', IMMEDIATE_SHUTDOWN_MS],
  ] as const) {
    await tellToStop(cluster, binaries, pid, signal, mode);
    const deadline = Date.now() + patience;
    while (Date.now() < deadline) {
      if (!isServerOf(cluster.dataDirectory, pid)) return;
      await sleep(10);
    }
  }
  throw new EmbeddedPostgresError(
    `The embedded PostgreSQL (process ${pid}) does not stop; its log is ${cluster.logFile}.`,
  );
}

async function tellToStop(
  cluster: Cluster,
  binaries: Binaries,
  pid: number,
  signal: NodeJS.Signals,
  mode: 'fast' | 'immediate',
): Promise<void> {
  if (process.platform === 'win32') {
    // Windows has no such signals: pg_ctl speaks to the server in another way.
    const parameters = ['stop', '-D', cluster.dataDirectory, '-m', mode, '--no-wait'];
    await promisify(execFile)(binaries.pgCtl, parameters, { env: SERVER_ENVIRONMENT });
    return;
  }
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** `wanted` if it is free on the loopback interface, else any free port. */
export async function freePort(wanted: number | undefined): Promise<number> {
  return (wanted && (await tryPort(wanted))) || (await tryPort(0)) || 0;
}

function tryPort(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(undefined));
    probe.listen(port, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(address && typeof address === 'object' ? address.port : undefined));
    });
  });
}
