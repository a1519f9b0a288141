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
    const status = job.status as JobStatus;
    const error = job.error as ProblemBody | null;
    const earlier = attempts
      .reverse()
      .map(({ attempt, startedAt, endedAt, outcome, workerId, problem }): AttemptRecord => ({
        attempt,
        startedAt,
        endedAt,
        outcome: outcome as AttemptOutcome,
        workerId,
        problem: problem as ProblemBody | null,
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
    };
  }
}

const isWorkerLost = (error: ProblemBody | null): boolean =>
  error?.type.endsWith('/worker-lost') ?? false;
