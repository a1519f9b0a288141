import { z } from 'zod';
import { COUNT, MOMENT } from '../../../platform/http/openapi/body.js';
import { PROBLEM } from '../../../platform/http/problem/problem.schema.js';
import { OUTLOOK, SECONDS } from '../../outlook/outlook.schema.js';
import { CANCEL_LINK, PROGRESS, RESULT_LINK, STATUS_WORD } from '../status.schema.js';

const POLL_LINK = z.url().describe('Poll this.');

/** One start of a job. */
export const JOB_ATTEMPT = z
  .strictObject({
    attempt: z.int().min(1).describe('1 for the first start of the job.'),
    started_at: MOMENT.describe('When a worker took it.'),
    ended_at: MOMENT.nullable().describe('Null while it runs.'),
    outcome: z
      .enum(['succeeded', 'failed', 'canceled', 'retry later', 'released', 'lost'])
      .nullable()
      .describe(
        '`lost`: its worker was lost; `released`: its worker shut down; null: it still runs.',
      ),
    worker: z.uuid().describe('The worker that ran it.'),
    program_version: z
      .string()
      .nullable()
      .describe('Of the service that worker was; null: unknown.'),
    task_version: z.string().nullable().describe('Of the task that it ran; null: unknown.'),
    problem: PROBLEM.optional(),
  })
  .meta({ id: 'JobAttempt' });

/** The body of `GET …/{job_id}/detail`. */
export const JOB_DETAIL = z
  .strictObject({
    id: z.uuid(),
    topic: z.string(),
    task: z.string(),
    status: STATUS_WORD,
    progress: PROGRESS,
    message: z.string().optional(),
    error: PROBLEM.optional(),
    labels: z.record(z.string(), z.string()),
    priority: z.int().min(-100).max(100),
    attempt: COUNT.describe('How often the job was started.'),
    max_attempts: z.int().min(1).describe('How many attempts may fail before the job does.'),
    failures: COUNT.describe('Attempts that failed.'),
    crashes: COUNT.describe('Attempts whose worker was lost; the third fails the job.'),
    timeout: z
      .int()
      .min(1)
      .nullable()
      .describe("Seconds an attempt may run; null: the task's own limit."),
    run_after: MOMENT.nullable().describe('It is not started before; null: it may start.'),
    expires_at: MOMENT.nullable().describe('It fails if nobody has started it by then.'),
    created_at: MOMENT.describe('When it was submitted.'),
    started_at: MOMENT.nullable().describe('When its last attempt started.'),
    ended_at: MOMENT.nullable().describe('When it ended.'),
    ...OUTLOOK,
    waited_seconds: SECONDS.describe('From its submit until its first start, or until now.'),
    run_seconds: SECONDS.describe('All its attempts together, until now.'),
    parameters_sha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .describe('Of the text of its parameters, as `…/parameters` has it.'),
    task_version: z.string().nullable().describe('Of the task in the last attempt; null: unknown.'),
    program_version: z
      .string()
      .nullable()
      .describe('Of the service whose worker ran the last attempt; null: unknown.'),
    attempts: z.array(JOB_ATTEMPT).describe('The latest hundred, oldest first.'),
    links: z.union([
      z.strictObject({ status: POLL_LINK, cancel: CANCEL_LINK }),
      z.strictObject({ status: POLL_LINK, result: RESULT_LINK }),
    ]),
  })
  .meta({ id: 'JobDetail' });
