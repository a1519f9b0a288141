import { z } from 'zod';
import { COUNT, MOMENT } from '../../platform/http/openapi/body.js';
import { OUTLOOK, SECONDS } from '../outlook/outlook.schema.js';
import { CANCEL_LINK, PROGRESS, RESULT_LINK, STATUS_WORD } from '../read/status.schema.js';

export const MAX_JOBS = 200;

/** A job as lists show it. */
export const LISTED_JOB = z
  .strictObject({
    id: z.uuid(),
    topic: z.string(),
    task: z.string(),
    status: STATUS_WORD,
    progress: PROGRESS,
    message: z.string().optional(),
    labels: z.record(z.string(), z.string()),
    priority: z.int().min(-100).max(100),
    attempt: COUNT.describe('How often the job was started.'),
    created_at: MOMENT.describe('When it was submitted.'),
    started_at: MOMENT.optional().describe('When its last attempt started.'),
    ended_at: MOMENT.optional(),
    ...OUTLOOK,
    error: z
      .strictObject({ status: z.int(), type: z.string(), title: z.string() })
      .optional()
      .describe('Of a failed or canceled job; its results have the detail.'),
    links: z.strictObject({
      status: z.url(),
      result: RESULT_LINK,
      cancel: CANCEL_LINK.optional(),
    }),
  })
  .meta({ id: 'ListedJob' });

/** The body of `GET …/jobs`. */
export const JOB_PAGE = z
  .strictObject({
    results: z.array(LISTED_JOB).max(MAX_JOBS).describe('Newest first.'),
    next: z
      .url()
      .nullable()
      .describe(
        'The next page; null: none. Jobs that are rare among many may be found on a later page although this one has room.',
      ),
  })
  .meta({ id: 'JobPage' });

/** The body of `GET …/jobs/summary`. */
export const JOB_SUMMARY = z
  .strictObject({
    total: COUNT.describe('How many jobs were counted, at most 10,000.'),
    oldest_waiting_seconds: SECONDS.optional().describe(
      'How long the oldest job has waited that could start now; absent when none waits.',
    ),
    by_status: z.partialRecord(STATUS_WORD, COUNT),
    by_task: z.array(z.strictObject({ topic: z.string(), task: z.string(), count: COUNT })),
    truncated: z.boolean().describe('Whether there are more than were counted.'),
  })
  .meta({ id: 'JobSummary' });
