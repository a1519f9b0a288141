import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import {
  type EmbeddedPostgres,
  startEmbeddedPostgres,
  temporaryDataHome,
} from '../../src/platform/database/embedded/embedded-postgres.js';
import { type Service, startService } from '../support/service.js';

/** What one round of the loop does to the system. */
export const FAULTS = [
  'kill a worker',
  'kill the api',
  'kill everything',
  'stop a worker for longer than its lease',
  'end all connections',
  'kill a database backend',
  'stop the database at once',
  'kill the database',
] as const;

export type Fault = (typeof FAULTS)[number];

const LEASE_SECONDS = '3';

/** The processes, and what can be done to them. Whatever is killed is started again. */
export class FaultSystem {
  /** @param slots of each worker */
  static async start(slots = 4): Promise<FaultSystem> {
    const dataHome = temporaryDataHome(process.cwd());
    const database = await startEmbeddedPostgres({ dataHome, log: () => undefined });
    const system = new FaultSystem(dataHome, database, String(slots));
    await system.startMissing();
    return system;
  }

  api!: Service;
  private readonly workers: Service[] = [];

  private constructor(
    private readonly dataHome: string,
    private database: EmbeddedPostgres,
    private readonly slots: string,
  ) {}

  get databaseUrl(): string {
    return this.database.url;
  }

  async strike(fault: Fault, random: () => number): Promise<void> {
    const victim = Math.floor(random() * this.workers.length);
    switch (fault) {
      case 'kill a worker':
        await this.workers.splice(victim, 1)[0]?.end('SIGKILL');
        break;
      case 'kill the api':
        await this.api.end('SIGKILL');
        break;
      case 'kill everything':
        await Promise.all([this.api, ...this.workers].map((service) => service.end('SIGKILL')));
        this.workers.length = 0;
        break;
      case 'stop a worker for longer than its lease': {
        const { pid } = this.workers[victim] as Service;
        process.kill(pid, 'SIGSTOP');
        await sleep(Number(LEASE_SECONDS) * 1_000 + 1_500);
        process.kill(pid, 'SIGCONT');
        break;
      }
      case 'end all connections':
        await this.ask(
          'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()',
        );
        break;
      case 'kill a database backend': {
        const pids = await this.ask(
          `SELECT pid FROM pg_stat_activity WHERE application_name = 'headframe'`,
        );
        const pid = pids[Math.floor(random() * pids.length)]?.pid as number | undefined;
        if (pid !== undefined) {
          killIfThere(pid, 'SIGKILL');
        }
        break;
      }
      case 'stop the database at once':
        await this.endDatabase('SIGQUIT');
        break;
      case 'kill the database':
        await this.endDatabase('SIGKILL');
        break;
      default:
        fault satisfies never;
    }
    await this.startMissing();
  }

  /**
   * Stops the server, in good order or at once, and starts it again.
   * @returns when it answered again, in milliseconds by its own clock
   */
  async restartDatabase(atOnce: boolean): Promise<number> {
    if (atOnce) {
      await this.endDatabase('SIGQUIT');
    } else {
      await this.database.stop();
      this.database = await startEmbeddedPostgres({
        dataHome: this.dataHome,
        log: () => undefined,
      });
    }
    return this.answering();
  }

  /** The processes of the service that are not there any more. */
  missing(): string[] {
    return [this.api, ...this.workers]
      .filter(({ pid }) => !isAlive(pid))
      .map((service) => `${service.pid} has ended:\n${service.log().slice(-2_000)}`);
  }

  async stop(): Promise<void> {
    await Promise.all([this.api, ...this.workers].map((service) => service?.stop()));
    await this.database.stop();
    rmSync(this.dataHome, { recursive: true, force: true, maxRetries: 3 });
  }

  /** Waits until the server answers again, then starts what has ended. */
  private async startMissing(): Promise<void> {
    await this.answering();
    const environment = { LEASE_SECONDS, WORKER_SLOTS: this.slots };
    if (this.api === undefined || !isAlive(this.api.pid)) {
      this.api = await startService(this.database.url, { ...environment, ROLE: 'api' });
    }
    for (let index = this.workers.length - 1; index >= 0; index -= 1) {
      if (!isAlive((this.workers[index] as Service).pid)) {
        throw new Error(`A worker ended by itself:\n${this.workers[index]?.log()}`);
      }
    }
    while (this.workers.length < 2) {
      this.workers.push(
        await startService(this.database.url, { ...environment, ROLE: 'worker', MIGRATE: 'false' }),
      );
    }
  }

  /** Who uses the server starts it again; here it is this process. @returns its clock, then */
  private async answering(): Promise<number> {
    const [row] = await eventually(() =>
      this.ask('SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now'),
    );
    return row?.now as number;
  }

  private async endDatabase(signal: 'SIGQUIT' | 'SIGKILL'): Promise<void> {
    const pid = this.postmaster();
    killIfThere(pid, signal);
    // Else it might still answer, and be taken for the next one.
    while (isAlive(pid)) {
      await sleep(5);
    }
  }

  /** When jobs ended, in milliseconds after that moment of the database's clock, in order. */
  async endsSince(since: number): Promise<number[]> {
    const rows = await this.ask(
      `SELECT (extract(epoch FROM ended_at) * 1000 - ${since})::float8 AS end FROM jobs
       WHERE ended_at >= to_timestamp(${since / 1_000}) ORDER BY ended_at`,
    );
    return rows.map((row) => row.end as number);
  }

  /** Looks by one connection, without a pause, until the number that a statement answers as `value` has grown. */
  async growth(text: string): Promise<void> {
    const connection = new pg.Client(this.database.url);
    connection.on('error', () => undefined);
    await connection.connect();
    try {
      const look = async (): Promise<number> => (await connection.query(text)).rows[0]?.value ?? 0;
      const before = await look();
      while ((await look()) <= before) {
        // Each look is a round trip, and its transaction shows what was committed last.
      }
    } finally {
      // It is not waited for: whoever asked has something to do in this moment.
      void connection.end().catch(() => undefined);
    }
  }

  /** One statement on a connection of its own. */
  async ask(text: string): Promise<Record<string, unknown>[]> {
    const connection = new pg.Client(this.database.url);
    connection.on('error', () => undefined);
    await connection.connect();
    try {
      return (await connection.query(text)).rows as Record<string, unknown>[];
    } finally {
      await connection.end().catch(() => undefined);
    }
  }

  private postmaster(): number {
    const file = join(this.dataHome, 'postgres/cluster/data/postmaster.pid');
    return Number(readFileSync(file, 'utf8').split('\n', 1)[0]);
  }
}

async function eventually<T>(attempt: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > deadline) {
        throw error;
      }
      await sleep(200);
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function killIfThere(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Gone by itself, or by an earlier fault.
  }
}
