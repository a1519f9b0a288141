import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { Client } from '../support/client.js';
import { token } from '../support/tokens.js';
import type { FaultSystem } from './fault-system.js';

/** What became of the jobs that were accepted. */
export interface Verdict {
  /** How many ended in each final state. */
  readonly ended: Readonly<Record<string, number>>;
  /** What must not be: lost jobs, ends that changed, ends without results. */
  readonly violations: readonly string[];
}

const BETWEEN_SUBMITS_MS = 40;
const SETTLE_MS = 120_000;
const FINAL = new Set(['succeeded', 'failed', 'canceled']);

/** One client that submits jobs all the time and looks at what becomes of them. */
export class FaultLoad {
  /** Path of each job that was answered with 303, and the final state it was seen in. */
  readonly accepted = new Map<string, string | null>();
  private readonly org = randomUUID();
  private readonly violations: string[] = [];
  private stopped = false;
  /** While it is true nothing is submitted. */
  paused = false;

  constructor(private readonly system: FaultSystem) {}

  stop(): void {
    this.stopped = true;
  }

  async run(): Promise<void> {
    const bearer = await token(this.org);
    for (let count = 0; !this.stopped; count += 1) {
      if (this.paused) {
        await sleep(BETWEEN_SUBMITS_MS);
        continue;
      }
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
  async verdict(): Promise<Verdict> {
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
         (SELECT count(results)::int FROM job_ends e WHERE e.job_id = j.id) AS results,
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
