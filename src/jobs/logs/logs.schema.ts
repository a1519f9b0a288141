import { z } from 'zod';
import { MOMENT } from '../../platform/http/openapi/body.js';

/** The body of `GET …/{job_id}/logs`. */
export const JOB_LOGS = z
  .strictObject({
    logs: z
      .array(
        z.strictObject({
          attempt: z.int().min(1).describe('1 for the first start of the job.'),
          number: z
            .int()
            .min(1)
            .describe('Counts the pieces of the attempt; a gap: those between were not kept.'),
          at: MOMENT.describe('When it was stored.'),
          text: z.string().min(1).describe('Some lines, or a part of a long one.'),
        }),
      )
      .max(100)
      .describe('Oldest first.'),
    after: z
      .string()
      .regex(/^\d{1,9}\.\d{1,9}$/)
      .describe('Send this as `after` for what comes behind.'),
    more: z.boolean().describe('Whether there is more at this moment.'),
  })
  .meta({ id: 'JobLogs' });
