import { readFileSync, realpathSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ChildProcess } from 'node:child_process';
import { Client } from 'pg';
import { ADVISORY_LOCKS } from '../advisory-locks.js';
import { installBinaries, type Binaries } from './binaries.js';
import { NAME, openCluster, type Cluster } from './cluster.js';
import { assertReachable, ensureDataHome, makePassable } from './data-home.js';
import { EmbeddedPostgresError, explain, USE_YOUR_OWN } from './embedded-postgres.error.js';
import {
  findPostmaster,
  freePort,
  type ServerTuning,
  spawnPostmaster,
  stopPostmaster,
} from './postmaster.js';

export { defaultDataHome, ensureDataHome, temporaryDataHome } from './data-home.js';
export { EmbeddedPostgresError } from './embedded-postgres.error.js';

export interface EmbeddedPostgresOptions {
  /** Folder for binaries, data, password and log; made if missing. */
  dataHome: string;
  /** Default true. False is faster and loses data when the machine (not the process) crashes: tests. */
  fsync?: boolean;
  /** Settings of the server beside our own, by PostgreSQL's names. */
  settings?: Readonly<Record<string, string>>;
  log: (message: string) => void;
}

export interface EmbeddedPostgres {
  /** Address of the `headframe` database, with its password: not for logs. */
  url: string;
  /** True when the server was running already, started by another process or by one that was killed. */
  reused: boolean;
  /** Leaves the server, and stops it if no other process uses it. Idempotent, bounded (about 20 s). */
  stop(): Promise<void>;
}

/** After a crash the write-ahead log is replayed first: as a rule under a second. */
const START_PATIENCE_MS = 60_000;
const START_ATTEMPTS = 5;
const RETRY_MS = 150;
const POLL_MS = 20;
const REVIVE_EVERY_MS = 1_000;
const SESSION_TIMEOUT_MS = 10_000;

/**
 * Starts (or finds running) the PostgreSQL server that comes with the project.
 *
 * The server belongs to the data home, not to the process that happened to start it: **it runs as
 * long as one process uses it, and the last to leave stops it.** Each user holds a session with a
 * shared advisory lock; who gets that lock exclusively on leaving is the last. A killed process
 * leaves at once because its session ends; the server lives on, and the next start takes it over.
 * When the server itself dies, its users start it again on the same port.
 *
 * Nothing here needs a lock file: directories appear by a rename, and PostgreSQL's own
 * postmaster.pid decides between two that start at the same time.
 *
 * Throws EmbeddedPostgresError, whose message says what to do.
 */
export async function startEmbeddedPostgres(
  options: EmbeddedPostgresOptions,
): Promise<EmbeddedPostgres> {
  const { dataHome, fsync = true, settings = {}, log } = options;
  try {
    assertReachable(resolve(dataHome));
    ensureDataHome(dataHome);
    const folder = join(realpathSync(dataHome), 'postgres');
    makePassable(folder);
    const binaries = await installBinaries(folder);
    const cluster = await openCluster(folder, binaries, { fsync, log });
    const user = new ServerUser(cluster, binaries, { fsync, settings }, log);
    const { port, reused } = await user.enter();
    return { url: address(cluster, port, NAME), reused, stop: () => user.leave() };
  } catch (error) {
    throw explain(error, dataHome);
  }
}

function address(cluster: Cluster, port: number, database: string): string {
  return `postgresql://${NAME}:${cluster.password}@127.0.0.1:${port}/${database}`;
}

/** This process as a user of the server, from entering to leaving. */
class ServerUser {
  private session: Client | undefined;
  private reviving: Promise<void> | undefined;
  private leaving: Promise<void> | undefined;

  constructor(
    private readonly cluster: Cluster,
    private readonly binaries: Binaries,
    private readonly tuning: ServerTuning,
    private readonly log: (message: string) => void,
  ) {}

  /**
   * Makes sure that a server runs and that it knows of us. A server that is just being stopped by
   * its last user refuses us; then we wait for its end and start it again.
   *
   * @param samePort addresses are already in use: only the port of the last start will do
   */
  async enter(samePort = false): Promise<{ port: number; reused: boolean }> {
    const { dataDirectory } = this.cluster;
    const deadline = Date.now() + START_PATIENCE_MS;
    let child: ChildProcess | undefined;
    let attempts = 0;
    let logStart = 0;
    let refused: unknown;
    while (Date.now() < deadline && !this.leaving) {
      const found = findPostmaster(dataDirectory);
      if (found?.ready) {
        try {
          this.session = await this.openSession(found.port);
          if (found.pid === child?.pid) writeFileSync(this.cluster.portFile, `${found.port}\n`);
          return { port: found.port, reused: found.pid !== child?.pid };
        } catch (error) {
          refused = error;
        }
      } else if (!found && (!child || hasEnded(child))) {
        if (attempts === START_ATTEMPTS) break;
        await sleep(RETRY_MS * attempts++); // processes of a killed server may take a moment to go
        logStart = statSync(this.cluster.logFile, { throwIfNoEntry: false })?.size ?? 0;
        const last = lastPort(this.cluster);
        const port = samePort && last ? last : await freePort(last);
        child = spawnPostmaster(this.cluster, this.binaries, { port, ...this.tuning });
        await hasSpawned(child);
      }
      await sleep(POLL_MS);
    }
    throw this.cannotStart(logStart, refused);
  }

  private async openSession(port: number): Promise<Client> {
    const session = new Client({
      connectionString: address(this.cluster, port, 'postgres'),
      application_name: 'headframe: in use',
      connectionTimeoutMillis: SESSION_TIMEOUT_MS,
      query_timeout: SESSION_TIMEOUT_MS,
      keepAlive: true,
    });
    session.on('error', () => {}); // 'end' follows
    try {
      await session.connect();
      await session.query('SELECT pg_advisory_lock_shared($1)', [ADVISORY_LOCKS.embeddedServer]);
      await ensureDatabase(session);
    } catch (error) {
      await session.end().catch(() => {});
      throw error;
    }
    session.once('end', () => {
      this.session = undefined;
      this.reviving = this.revive();
    });
    return session;
  }

  /** Our session ended unasked: the server crashed, or someone stopped it. */
  private async revive(): Promise<void> {
    while (!this.leaving) {
      try {
        this.log('The embedded PostgreSQL went away; starting it again');
        await this.enter(true);
        this.log('The embedded PostgreSQL is back');
        return;
      } catch (error) {
        if (this.leaving) return;
        this.log(`The embedded PostgreSQL did not come back: ${(error as Error).message}`);
        await sleep(REVIVE_EVERY_MS);
      }
    }
  }

  /** Stops the server if we are its last user. */
  leave(): Promise<void> {
    return (this.leaving ??= this.leaveOnce());
  }

  private async leaveOnce(): Promise<void> {
    await this.reviving;
    const found = findPostmaster(this.cluster.dataDirectory);
    if (!found) return;
    const session = this.session ?? (await this.openSession(found.port));
    try {
      await session.query('SELECT pg_advisory_unlock_shared($1)', [ADVISORY_LOCKS.embeddedServer]);
      const { rows } = await session.query<{ last: boolean }>(
        'SELECT pg_try_advisory_lock($1) AS last',
        [ADVISORY_LOCKS.embeddedServer],
      );
      if (rows[0]?.last) await stopPostmaster(this.cluster, this.binaries, found.pid);
      else this.log('The embedded PostgreSQL stays: another process uses it');
    } finally {
      await session.end().catch(() => {});
    }
  }

  private cannotStart(logStart: number, refused: unknown): EmbeddedPostgresError {
    const { logFile } = this.cluster;
    const output = readFileSync(logFile).subarray(logStart).toString('utf8').trim();
    const reason =
      refused instanceof Error ? refused.message : output.split('\n').slice(-8).join('\n');
    return explain(
      /no space left on device/i.test(output)
        ? Object.assign(new Error(output), { code: 'ENOSPC' })
        : new EmbeddedPostgresError(
            `The embedded PostgreSQL does not start. Its log (${logFile}) says:\n${reason}\n${USE_YOUR_OWN}`,
          ),
      this.cluster.directory,
    ) as EmbeddedPostgresError;
  }
}

async function ensureDatabase(session: Client): Promise<void> {
  const { rowCount } = await session.query('SELECT 1 FROM pg_database WHERE datname = $1', [NAME]);
  if (rowCount) return;
  await session.query(`CREATE DATABASE ${NAME}`).catch((error: { code?: string }) => {
    // Another process made it in this moment.
    if (error.code !== '42P04' && error.code !== '23505') throw error;
  });
}

function lastPort({ portFile }: Cluster): number | undefined {
  try {
    return Number(readFileSync(portFile, 'utf8')) || undefined;
  } catch {
    return undefined;
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/** Rejects when the program could not be started at all (not executable, not permitted). */
function hasSpawned(child: ChildProcess): Promise<void> {
  return new Promise((done, fail) => {
    child.once('spawn', done);
    child.once('error', fail);
  });
}
