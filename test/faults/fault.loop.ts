import { randomUUID } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import {
  type EmbeddedPostgres,
  startEmbeddedPostgres,
  temporaryDataHome,
} from '../../src/platform/database/embedded-postgres.js';
import { Client } from '../support/client.js';
import { seededRandom } from '../support/random.js';
import { type Service, startService } from '../support/service.js';
import { token } from '../support/tokens.js';

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

export interface FaultReport {
  readonly faults: Readonly<Record<Fault, number>>;
  /** Jobs that were answered with 303. */
  readonly accepted: number;
  /** Of these, how many ended in each final state. */
  readonly ended: Readonly<Record<string, number>>;
  /** What must not be: lost jobs, ends that changed, ends without results. */
  readonly violations: readonly string[];
}

const LEASE_SECONDS = '3';
const BETWEEN_SUBMITS_MS = 40;
const PAUSE_MS = { shortest: 200, longest: 1_200 };
const SETTLE_MS = 120_000;
const FINAL = new Set(['succeeded', 'failed', 'canceled']);

/**
 * Two workers and an api over a durable database, under load from one client, while one fault after
 * another strikes at a random moment; then everything is let come to rest, and every accepted job is
 * looked at.
 * @param rounds how many faults
 * @param seed of their choice and moments
 */
export async function runFaultLoop(
  rounds: number,
  seed: number,
  log: (line: string) => void = () => undefined,
): Promise<FaultReport> {
  const random = seededRandom(seed);
  const system = await System.start();
  const faults = Object.fromEntries(FAULTS.map((fault) => [fault, 0])) as Record<Fault, number>;
  const load = new Load(system);
  try {
    const loading = load.run();
    for (let round = 1; round <= rounds; round += 1) {
      await sleep(PAUSE_MS.shortest + random() * (PAUSE_MS.longest - PAUSE_MS.shortest));
      const fault = FAULTS[Math.floor(random() * FAULTS.length)] as Fault;
      faults[fault] += 1;
      log(`${round}/${rounds} ${fault}, ${load.accepted.size} accepted`);
      await system.strike(fault, random);
    }
    load.stop();
    await loading;
    await load.settle();
    return { faults, accepted: load.accepted.size, ...(await load.verdict()) };
  } finally {
    load.stop();
    await system.stop();
  }
}

/** The processes, and what can be done to them. Whatever is killed is started again. */
class System {
  static async start(): Promise<System> {
    const dataHome = temporaryDataHome(process.cwd());
    const database = await startEmbeddedPostgres({ dataHome, log: () => undefined });
    const system = new System(dataHome, database);
    await system.startMissing();
    return system;
  }

  api!: Service;
  private readonly workers: Service[] = [];

  private constructor(
    private readonly dataHome: string,
    private database: EmbeddedPostgres,
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
        killIfThere(this.postmaster(), 'SIGQUIT');
        break;
      case 'kill the database':
        killIfThere(this.postmaster(), 'SIGKILL');
        break;
      default:
        fault satisfies never;
    }
    await this.startMissing();
  }

  async stop(): Promise<void> {
    await Promise.all([this.api, ...this.workers].map((service) => service?.stop()));
    await this.database.stop();
    rmSync(this.dataHome, { recursive: true, force: true, maxRetries: 3 });
  }

  /** Waits until the server answers again, then starts what has ended. */
  private async startMissing(): Promise<void> {
    this.database = await eventually(() =>
      startEmbeddedPostgres({ dataHome: this.dataHome, log: () => undefined }),
    );
    const environment = { LEASE_SECONDS, WORKER_SLOTS: '4' };
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

  private async ask(text: string): Promise<Record<string, unknown>[]> {
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

/** One client that submits jobs all the time and looks at what becomes of them. */
class Load {
  /** Path of each job that was answered with 303, and the final state it was seen in. */
  readonly accepted = new Map<string, string | null>();
  private readonly org = randomUUID();
  private readonly violations: string[] = [];
  private stopped = false;

  constructor(private readonly system: System) {}

  stop(): void {
    this.stopped = true;
  }

  async run(): Promise<void> {
    const bearer = await token(this.org);
    for (let count = 0; !this.stopped; count += 1) {
      const client = new Client(this.system.api.url, this.org, bearer);
      try {
        const answer = await client.execute('diagnostics/sleep', {
          parameters: { seconds: (count % 5) / 10, steps: 2 },
        });
        if (answer.status === 303) {
          this.accepted.set((answer.headers.get('location') as string).slice(0, -7), null);
        } else if (answer.status !== 503) {
          this.violations.push(`a submit was answered ${answer.status}: ${answer.text}`);
        }
        await this.look(client);
      } catch {
        // The api was killed under the request: nothing was promised.
      }
      await sleep(BETWEEN_SUBMITS_MS);
    }
  }

  /** Waits until every accepted job has ended, or patience has. */
  async settle(): Promise<void> {
    const client = new Client(this.system.api.url, this.org, await token(this.org));
    const deadline = Date.now() + SETTLE_MS;
    for (const job of this.accepted.keys()) {
      await client.ended(job, Math.max(1, deadline - Date.now())).then(
        ({ status }) => this.note(job, status),
        () => this.violations.push(`${job} has not ended`),
      );
    }
  }

  /** What the database has of every accepted job. */
  async verdict(): Promise<Pick<FaultReport, 'ended' | 'violations'>> {
    const connection = new pg.Client(this.system.databaseUrl);
    await connection.connect();
    const { rows } = await connection.query<{
      id: string;
      status: string;
      results: number;
      attempt: number;
      attempts: number;
    }>(
      `SELECT id, status, attempt,
         (SELECT count(*)::int FROM job_results r WHERE r.job_id = j.id) AS results,
         (SELECT count(*)::int FROM job_attempts a WHERE a.job_id = j.id) AS attempts
       FROM jobs j WHERE org_id = $1`,
      [this.org],
    );
    await connection.end();
    const found = new Map(rows.map((row) => [row.id, row]));
    const ended: Record<string, number> = {};
    for (const [job, seen] of this.accepted) {
      const row = found.get(job.split('/').at(-1) as string);
      if (row === undefined) {
        this.violations.push(`${job} is lost`);
        continue;
      }
      ended[row.status] = (ended[row.status] ?? 0) + 1;
      if (row.status !== seen) {
        this.violations.push(`${job} was seen ${seen} and is ${row.status}`);
      }
      if (row.results !== (row.status === 'succeeded' ? 1 : 0)) {
        this.violations.push(`${job} is ${row.status} with ${row.results} results`);
      }
    }
    return { ended, violations: this.violations };
  }

  /** Looks at a few of the jobs, so that an end that changes later is noticed. */
  private async look(client: Client): Promise<void> {
    const jobs = [...this.accepted.keys()];
    for (const job of [jobs.at(-3), jobs[Math.floor(jobs.length / 2)]]) {
      if (job !== undefined) {
        const { status, text } = await client.get(`${job}/status`);
        if (status === 200) {
          this.note(job, (JSON.parse(text) as { status: string }).status);
        } else if (status !== 202 && status !== 503) {
          this.violations.push(`the status of ${job} was answered ${status}: ${text}`);
        }
      }
    }
  }

  private note(job: string, status: string): void {
    const before = this.accepted.get(job);
    if (before !== null && before !== undefined && before !== status) {
      this.violations.push(`${job} was ${before} and then ${status}`);
    }
    if (FINAL.has(status)) {
      this.accepted.set(job, status);
    }
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
