import { Injectable } from '@nestjs/common';
import { Database } from '../../../platform/database/database.js';
import type { ProblemBody } from '../../../platform/http/problem/problem.js';
import type { JobKey } from '../../job/job.js';
import { isFinal, type JobStatus } from '../../job/job-status.js';

/** One start of a job. */
export interface AttemptRecord {
  readonly attempt: number;
  readonly startedAt: Date;
  /** Null while it runs. */
  readonly endedAt: Date | null;
  /** Null while it runs. */
  readonly outcome: AttemptOutcome | null;
  readonly workerId: string;
  readonly problem: ProblemBody | null;
  /** What ran it; null: not known any more. */
  readonly program: WorkerProgram | null;
}

/** What a worker was when it ran a task. */
export interface WorkerProgram {
  /** Version of the service. */
  readonly version: string;
  /** Null: that worker did not offer the task. */
  readonly taskVersion: string | null;
}

export type AttemptOutcome =
  | 'succeeded'
  | 'failed'
  | 'canceled'
  | 'retry later'
  | 'released'
  | 'lost';

/** All that is kept about a job, but for its parameters and results. */
export interface JobDetail extends JobKey {
  readonly status: JobStatus;
  readonly progress: number;
  readonly message: string | null;
  readonly priority: number;
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly failures: number;
  readonly crashes: number;
  readonly timeoutSeconds: number | null;
  readonly runAfter: Date | null;
  readonly expiresAt: Date | null;
  readonly createdAt: Date;
  readonly startedAt: Date | null;
  readonly endedAt: Date | null;
  readonly error: ProblemBody | null;
  readonly labels: Readonly<Record<string, string>>;
  /** The latest hundred, oldest first. */
  readonly attempts: readonly AttemptRecord[];
  /** SHA-256 of the text of its parameters, in hexadecimal. */
  readonly parametersDigest: string;
  /** When this was read, by the database's clock. */
  readonly now: Date;
}

/** A job that is released again and again can have many. */
const MAX_ATTEMPTS = 100;

/** Reads all that is kept about one job: a cold path. */
@Injectable()
export class JobDetailStore {
  constructor(private readonly database: Database) {}

  /** @returns null when there is no such job under that organization, topic and task */
  async find({ jobId, orgId, topic, task }: JobKey): Promise<JobDetail | null> {
    // One snapshot: the job and its attempts must not tell of two moments.
    const [job, attempts, labels] = await this.database.prismaFor([orgId], (prisma) => [
      prisma.job.findFirst({ where: { id: jobId, orgId, topic, task } }),
      prisma.jobAttempt.findMany({
        where: { jobId, orgId },
        orderBy: { attempt: 'desc' },
        take: MAX_ATTEMPTS,
      }),
      prisma.jobLabel.findMany({ where: { jobId, orgId }, orderBy: { name: 'asc' } }),
    ]);
    if (job === null) {
      return null;
    }
    const { now, digest } = await this.factsOf(jobId, orgId);
    const status = job.status as JobStatus;
    const error = job.error as ProblemBody | null;
    const programs = await this.programsOf(
      `${topic}/${task}`,
      [job.workerId, ...attempts.map(({ workerId }) => workerId)].filter((id) => id !== null),
      orgId,
    );
    const earlier = attempts
      .reverse()
      .map(({ attempt, startedAt, endedAt, outcome, workerId, problem }): AttemptRecord => ({
        attempt,
        startedAt,
        endedAt,
        outcome: outcome as AttemptOutcome,
        workerId,
        problem: problem as ProblemBody | null,
        program: programs.get(workerId) ?? null,
      }));
    // The attempt that ended the job, or still runs, is in the job's own row.
    const isKept = job.attempt === 0 || earlier.at(-1)?.attempt === job.attempt;
    const last: AttemptRecord[] = isKept
      ? []
      : [
          {
            attempt: job.attempt,
            startedAt: job.startedAt as Date,
            endedAt: job.endedAt,
            outcome: !isFinal(status)
              ? null
              : status === 'failed' && job.crashes > 0 && isWorkerLost(error)
                ? 'lost'
                : status,
            workerId: job.workerId as string,
            problem: error,
            program: programs.get(job.workerId as string) ?? null,
          },
        ];
    return {
      ...job,
      jobId,
      orgId,
      status,
      error,
      labels: Object.fromEntries(labels.map(({ name, value }) => [name, value])),
      attempts: [...earlier, ...last],
      parametersDigest: digest ?? '',
      now,
    };
  }

  /** The digest of large parameters is kept, that of small ones is quick. */
  private async factsOf(
    jobId: string,
    orgId: string,
  ): Promise<{ now: Date; digest: string | null }> {
    const { rows } = await this.database.queryFor<{ now: Date; digest: string | null }>([orgId], {
      name: 'read-job-facts',
      text: `
        SELECT clock_timestamp() AS now, encode(coalesce(kept.digest,
          sha256(convert_to(coalesce(s.parameters, kept.parameters)::text, 'UTF8'))), 'hex') AS digest
        FROM (SELECT $1::uuid AS id) asked
        LEFT JOIN job_submissions s ON s.id = asked.id AND s.org_id = $2
        LEFT JOIN job_parameters kept ON kept.job_id = s.id`,
      values: [jobId, orgId],
    });
    return rows[0] as { now: Date; digest: string | null };
  }

  private async programsOf(
    task: string,
    workers: readonly string[],
    orgId: string,
  ): Promise<ReadonlyMap<string, WorkerProgram>> {
    if (workers.length === 0) {
      return new Map();
    }
    const { rows } = await this.database.queryFor<WorkerProgram & { id: string }>([orgId], {
      name: 'read-worker-programs',
      text: `SELECT worker_id AS id, program AS version, tasks->>$1 AS "taskVersion"
        FROM worker_programs WHERE worker_id = ANY ($2::uuid[])`,
      values: [task, workers],
    });
    return new Map(rows.map(({ id, ...program }) => [id, program]));
  }
}

const isWorkerLost = (error: ProblemBody | null): boolean =>
  error?.type.endsWith('/worker-lost') ?? false;
