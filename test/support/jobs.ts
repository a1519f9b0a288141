import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { type JobKey, type JobOptions, NO_OPTIONS } from '../../src/jobs/job/job.js';

import { EndStore } from '../../src/jobs/end/end.store.js';
import { JobStateStore } from '../../src/jobs/read/job-state.store.js';
import { SubmitStore } from '../../src/jobs/submit/submit.store.js';
import type { JobStatus } from '../../src/jobs/job/job-status.js';
import { TendStore } from '../../src/jobs/care/tend.store.js';
import { ClaimStore, type RingTurn } from '../../src/jobs/lease/claim.store.js';
import { LocalStarts } from '../../src/jobs/lease/local-starts.js';
import { type ClaimedJob, LeaseStore } from '../../src/jobs/lease/lease.store.js';
import { LimitsStore } from '../../src/jobs/limits/limits.store.js';
import { UsageMeter } from '../../src/jobs/limits/usage-meter.js';
import { WorkerStore } from '../../src/jobs/lease/worker.store.js';
import { Database } from '../../src/platform/database/database.js';
import { createTestDatabase } from './database.js';

export const TASK = { topic: 'diagnostics', name: 'sleep' };
/** Who does everything here. */
export const ACTOR = {
  subject: 'test',
  client: null,
  address: '127.0.0.1',
  requestId: 'test',
  traceparent: null,
};
/** A problem as a task's failure leaves it. */
export const PROBLEM = { status: 500, type: 'urn:test', title: 'Broken.', detail: 'On purpose.' };

/** A row of the view `jobs`, whole, as the database has it. */
export type JobRow = Record<string, unknown> & { status: JobStatus; lease_id: string | null };

/** The stores over a database of their own: the engine without HTTP and without runners. */
export class Engine {
  static async open(): Promise<Engine> {
    const { url, drop } = await createTestDatabase();
    return new Engine(url, drop);
  }

  /** Over a database that somebody else made, and drops. */
  static on(url: string): Engine {
    return new Engine(url, async () => undefined);
  }

  readonly submits: SubmitStore;
  readonly states: JobStateStore;
  readonly ends: EndStore;
  readonly claims: ClaimStore;
  readonly leases: LeaseStore;
  readonly workers: WorkerStore;
  readonly tending: TendStore;
  readonly limits: LimitsStore;
  readonly usage: UsageMeter;
  /** No process runs jobs here: all go through the queue, unless a test sets a starter. */
  readonly starts = new LocalStarts();
  readonly database: Database;
  /** In the right of who owns the tables: for what the service itself may not do. */
  readonly owner: pg.Pool;
  private readonly operator: Database;

  private constructor(
    readonly url: string,
    private readonly drop: () => Promise<void>,
  ) {
    const database = new Database({ url, poolSize: 5 });
    this.database = database;
    this.owner = new pg.Pool({ connectionString: url, max: 5 });
    this.owner.on('error', () => undefined);
    this.operator = new Database({ url, requestRole: 'headframe_operator', poolSize: 1 });
    this.limits = new LimitsStore(this.operator, 'operator test');
    this.usage = new UsageMeter(database);
    this.submits = new SubmitStore(database, this.usage, this.starts);
    this.states = new JobStateStore(database);
    this.ends = new EndStore(database);
    this.claims = new ClaimStore(database);
    this.leases = new LeaseStore(database, this.usage);
    this.workers = new WorkerStore(database);
    this.tending = new TendStore(database);
  }

  async close(): Promise<void> {
    await this.usage.onModuleDestroy();
    await Promise.all([
      this.database.onApplicationShutdown(),
      this.operator.onApplicationShutdown(),
      this.owner.end(),
    ]);
    await this.drop();
  }

  /** Submits a job of the test task. */
  async submit(
    orgId: string = randomUUID(),
    maxAttempts = 1,
    options: Partial<JobOptions> = {},
  ): Promise<JobKey> {
    const key = { jobId: uuidv7(), orgId, topic: TASK.topic, task: TASK.name };
    await this.submits.create({
      ...key,
      maxAttempts,
      parameters: '{"seconds":0}',
      by: ACTOR,
      options: { ...NO_OPTIONS, ...options },
    });
    return key;
  }

  async register(): Promise<string> {
    return (await this.workers.register('test', { version: '0', tasks: new Map(), slots: 1 })).id;
  }

  /** Claims once, from a random place in the ring. */
  async claim(workerId: string, limit = 1, turn?: RingTurn): Promise<readonly ClaimedJob[]> {
    return (await this.claimTurn(workerId, limit, turn)).jobs;
  }

  /** Claims the next job of the organization of a job, which should be that one. */
  async claimFor(workerId: string, { jobId, orgId }: JobKey): Promise<ClaimedJob> {
    const [job] = await this.claim(workerId, 1, { cursor: justBefore(orgId), credit: 0 });
    if (job?.jobId !== jobId) {
      throw new Error(`claimed ${job?.jobId} instead of ${jobId}`);
    }
    return job;
  }

  claimTurn(workerId: string, limit: number, turn: RingTurn = { cursor: randomUUID(), credit: 0 }) {
    return this.claims.claim(workerId, [TASK], limit, turn);
  }

  /** Brings a new job into a state, as the service would. Its last lease is returned with it. */
  async jobIn(
    status: JobStatus,
    maxAttempts = 1,
  ): Promise<{ key: JobKey; workerId: string; leaseId: string }> {
    const workerId = await this.register();
    const key = await this.submit(randomUUID(), maxAttempts);
    if (status === 'requested') {
      return { key, workerId, leaseId: randomUUID() };
    }
    const lease = await this.claimFor(workerId, key);
    if (status === 'canceling' || status === 'canceled') {
      await this.ends.requestCancel(key, ACTOR);
    }
    if (status === 'canceled') {
      await this.leases.endCanceled(lease);
    } else if (status === 'succeeded') {
      await this.leases.succeed({ ...lease, results: '{}', message: null });
    } else if (status === 'failed') {
      await this.leases.fail({ ...lease, problem: PROBLEM, retryable: false });
    }
    return { key, workerId, leaseId: lease.leaseId };
  }

  /** Makes one worker, and no other, look silent for longer than its lease, and tends the jobs. */
  async loseWorker(workerId: string): Promise<void> {
    // Nobody holds a lock here: whom an earlier tending suspected would be lost as well.
    await this.owner.query(
      `UPDATE workers SET suspect_at = NULL, beat_at = clock_timestamp()
         + CASE WHEN id = $1 THEN interval '-1 hour' ELSE interval '1 hour' END`,
      [workerId],
    );
    await this.outlastBenefitOfTheDoubt(0.05);
    await this.tending.tend(0.05);
  }

  /** Right after a start of the server nobody is taken for lost: waits until a silent worker is. */
  async outlastBenefitOfTheDoubt(leaseSeconds: number): Promise<void> {
    await this.owner.query(
      `SELECT pg_sleep(greatest(0, $1::float8 + extract(epoch FROM
         pg_postmaster_start_time() + interval '5.1 seconds' - clock_timestamp())))`,
      [leaseSeconds],
    );
  }

  async row(jobId: string): Promise<JobRow> {
    const { rows } = await this.owner.query<JobRow>('SELECT * FROM jobs WHERE id = $1', [jobId]);
    return rows[0] as JobRow;
  }

  async results(jobId: string): Promise<number> {
    const { rows } = await this.owner.query<{ count: number }>(
      'SELECT count(results)::int AS count FROM job_ends WHERE job_id = $1',
      [jobId],
    );
    return rows[0]?.count ?? 0;
  }
}

/** A place in the ring just before an organization. */
function justBefore(orgId: string): string {
  const value = BigInt(`0x${orgId.replaceAll('-', '')}`) - 1n;
  return value
    .toString(16)
    .padStart(32, '0')
    .replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
