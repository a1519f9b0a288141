import { z } from 'zod';
import type { JobOptions } from '../../jobs/job/job.js';

const YEAR_SECONDS = 366 * 86_400;
const MAX_LABELS = 16;

const wholeNumber = (min: number, max: number) => {
  const error = `must be a whole number from ${min} to ${max}`;
  return z.int({ error }).min(min, error).max(max, error);
};

const RUN_AFTER = 'must be a time like 2026-01-31T12:00:00Z, at most a year ahead';
/** Whether it is past, the submit asks by the database's clock. */
const isTooFar = (text: string): boolean => Date.parse(text) - Date.now() > YEAR_SECONDS * 1_000;

/** `options` of an execute request, as the client sends them: null is as good as absent. */
export const EXECUTE_OPTIONS = z.strictObject(
  {
    priority: wholeNumber(-100, 100)
      .nullish()
      .meta({ default: 0 })
      .describe("Among the organization's own jobs, the higher start first."),
    run_after: z.iso
      .datetime({ offset: true, error: RUN_AFTER })
      .refine((text) => !isTooFar(text), RUN_AFTER)
      .nullish()
      .describe('Not to be started before this moment (RFC 3339).'),
    expires_after: wholeNumber(1, YEAR_SECONDS)
      .nullish()
      .describe('Seconds it may wait unstarted, from when it may start; then it fails.'),
    timeout: wholeNumber(1, 7 * 86_400)
      .nullish()
      .describe("Seconds an attempt may run; the task's own limit holds besides."),
    max_attempts: wholeNumber(1, 100)
      .nullish()
      .describe(
        "How many attempts may fail before the job does; the task's own limit holds besides.",
      ),
    labels: z
      .record(
        z
          .string()
          .regex(/^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}$/, 'must have a name like project or run/1'),
        z.string({ error: 'must be a string' }).max(63, 'must have at most 63 characters'),
        {
          error: ({ code }) =>
            code === 'invalid_type' ? 'must be an object of strings' : undefined,
        },
      )
      .refine(
        (labels) => Object.keys(labels).length <= MAX_LABELS,
        `must have at most ${MAX_LABELS} members`,
      )
      .nullish()
      .describe('Up to 16 short strings, by which the job can be found again.'),
  },
  { error: (issue) => (issue.code === 'invalid_type' ? 'must be an object' : undefined) },
);

/** The options in the words of the store; `max_attempts` is the execute body's business. */
export function jobOptions(options: z.output<typeof EXECUTE_OPTIONS>): JobOptions {
  return {
    priority: options.priority ?? 0,
    runAfter: typeof options.run_after === 'string' ? new Date(options.run_after) : null,
    expiresAfterSeconds: options.expires_after ?? null,
    timeoutSeconds: options.timeout ?? null,
    labels: options.labels ?? null,
  };
}
