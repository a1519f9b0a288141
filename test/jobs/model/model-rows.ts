import { isDeepStrictEqual } from 'node:util';
import type pg from 'pg';
import { isFinal, type JobStatus } from '../../../src/jobs/job/job-status.js';
import {
  expectThat,
  isRunning,
  type JobFacts,
  type KeptAttempt,
  type Limits,
  type World,
} from './model-world.js';

interface SeenJob extends JobFacts {
  readonly id: string;
  readonly orgId: string;
  readonly task: string;
  /** The whole row, as text: that of a job that has ended never changes. */
  readonly row: string;
  /** In how many of the queue, the leases and the ends it is. */
  readonly places: number;
}

interface SeenWorker {
  readonly id: string;
  readonly draining: boolean;
}

/** All rows of one moment. */
export interface Seen {
  readonly jobs: readonly SeenJob[];
  readonly workers: readonly SeenWorker[];
}

interface JobRow {
  id: string;
  org_id: string;
  task: string;
  status: JobStatus;
  attempt: number;
  failures: number;
  crashes: number;
  progress: number;
  message: string | null;
  lease_id: string | null;
  worker_id: string | null;
  error: unknown;
  run_after: string | null;
  run_after_due: boolean | null;
  expires_at: string | null;
  expires_due: boolean | null;
  results: string | null;
  places: number;
  attempts: { attempt: number; worker_id: string; outcome: string; problem: unknown }[] | null;
}

export async function see(owner: pg.Pool): Promise<Seen> {
  const { rows } = await owner.query<{
    jobs: JobRow[] | null;
    workers: SeenWorker[] | null;
  }>({
    name: 'see-all',
    text: `
      SELECT (SELECT json_agg(seen) FROM (
        SELECT jobs.*, run_after <= clock_timestamp() AS run_after_due,
          expires_at <= clock_timestamp() AS expires_due,
          (SELECT min(results::text) FROM job_ends WHERE job_id = id) AS results,
          (SELECT count(*) FROM job_queue WHERE job_id = id)
            + (SELECT count(*) FROM job_leases WHERE job_id = id)
            + (SELECT count(*) FROM job_ends WHERE job_id = id) AS places,
          (SELECT json_agg(kept ORDER BY kept.attempt) FROM job_attempts kept WHERE job_id = id)
            AS attempts
        FROM jobs) seen) AS jobs,
      (SELECT json_agg(workers) FROM workers) AS workers`,
  });
  return {
    jobs: (rows[0]?.jobs ?? []).map(seenJob),
    workers: rows[0]?.workers ?? [],
  };
}

function seenJob(row: JobRow): SeenJob {
  const { run_after_due: _due, expires_due: _expired, ...whole } = row;
  return {
    id: row.id,
    orgId: row.org_id,
    task: row.task,
    row: JSON.stringify(whole),
    places: row.places,
    status: row.status,
    attempt: row.attempt,
    failures: row.failures,
    crashes: row.crashes,
    progress: row.progress,
    message: row.message,
    runAfter: row.run_after === null ? null : row.run_after_due ? 'due' : 'later',
    expires: row.expires_at === null ? null : row.expires_due ? 'due' : 'later',
    lease: row.lease_id,
    worker: row.worker_id,
    error: textOf(row.error),
    results: row.results,
    kept: (row.attempts ?? []).map(({ attempt, worker_id: worker, outcome, problem }) => ({
      attempt,
      worker,
      outcome: outcome as KeptAttempt['outcome'],
      problem: textOf(problem),
    })),
  };
}

const textOf = (value: unknown): string | null => (value === null ? null : JSON.stringify(value));

/** @throws Impossible when the rows are not as the model says */
export function compare(world: World, seen: Seen): void {
  expectThat(seen.jobs.length === world.jobs.size, 'a job vanished, or came from nowhere');
  for (const { id, orgId: _org, task: _task, row: _row, places: _places, ...facts } of seen.jobs) {
    const job = world.jobs.get(id);
    expectThat(job !== undefined, `job ${id} came from nowhere`);
    for (const [column, value] of Object.entries(facts)) {
      const wanted = job[column as keyof JobFacts];
      expectThat(
        isDeepStrictEqual(value, wanted),
        `${job.name} has ${column} ${JSON.stringify(value)}, which should be ${JSON.stringify(wanted)}`,
      );
    }
  }
  const rows = new Map(seen.workers.map((worker) => [worker.id, worker]));
  for (const worker of world.workers.values()) {
    const row = rows.get(worker.id);
    expectThat(
      (row !== undefined) === worker.registered,
      `${worker.name} ${row === undefined ? 'has no row' : 'still has a row'}`,
    );
    expectThat(
      row === undefined || row.draining === worker.draining,
      `${worker.name} drains, or should`,
    );
  }
}

/**
 * What must hold of the rows whatever the model thinks: it remembers what it saw before in the same
 * run, and knows nothing but the caps.
 */
export class Invariants {
  private readonly before = new Map<string, SeenJob>();

  constructor(private readonly limits: Limits) {}

  /** @throws Impossible */
  check({ jobs, workers }: Seen): void {
    const known = new Set(workers.map(({ id }) => id));
    for (const job of jobs) {
      this.checkJob(job, known);
      const before = this.before.get(job.id);
      if (before !== undefined) {
        this.checkChange(before, job);
      }
      this.before.set(job.id, job);
    }
    const running = jobs.filter(isRunning);
    for (const [orgId, cap] of this.limits.organizations) {
      const count = running.filter((job) => job.orgId === orgId).length;
      expectThat(count <= cap, `an organization runs ${count} jobs, over its cap of ${cap}`);
    }
    for (const [task, cap] of this.limits.tasks) {
      const count = running.filter((job) => job.task === task).length;
      expectThat(count <= cap, `a task runs ${count} times, over its cap of ${cap}`);
    }
  }

  private checkJob(job: SeenJob, workers: ReadonlySet<string>): void {
    expectThat(
      job.places === 1,
      `a job is in ${job.places} of the queue, the leases and the ends at once`,
    );
    expectThat(
      (job.results !== null) === (job.status === 'succeeded'),
      `a job that is ${job.status} has ${job.results === null ? 'no ' : ''}results`,
    );
    expectThat(
      !isRunning(job) || workers.has(job.worker as string),
      'a running job has a worker without a row: nobody would ever take it back',
    );
    const { attempt, kept } = job;
    expectThat(
      kept.every((record, index) => record.attempt === index + 1),
      `the kept attempts are not numbered one by one: ${kept.map((record) => record.attempt).join()}`,
    );
    const open = attempt - kept.length;
    expectThat(
      isRunning(job) ? open === 1 : open === 0 || (open === 1 && isFinal(job.status)),
      `${attempt} attempts, of which ${kept.length} are kept, for a job that is ${job.status}`,
    );
    for (const [counter, outcome] of [
      ['failures', 'failed'],
      ['crashes', 'lost'],
    ] as const) {
      const told = kept.filter((record) => record.outcome === outcome).length;
      const last = job[counter] - told;
      expectThat(
        last === 0 || (last === 1 && open === 1 && isFinal(job.status)),
        `${job[counter]} ${counter} counted, with ${told} of ${attempt} attempts ${outcome}`,
      );
    }
  }

  private checkChange(before: SeenJob, job: SeenJob): void {
    expectThat(
      !isFinal(before.status) || before.row === job.row,
      `a job that had ended was changed:\n  ${before.row}\n  ${job.row}`,
    );
    for (const counter of ['attempt', 'failures', 'crashes'] as const) {
      expectThat(job[counter] >= before[counter], `${counter} fell`);
    }
    expectThat(
      before.lease === null || before.lease !== job.lease || job.progress >= before.progress,
      `progress fell from ${before.progress} to ${job.progress} within an attempt`,
    );
  }
}
