import { z } from 'zod';
import { WAITS_FOR } from './outlook.js';

export const SECONDS = z.number().min(0);

/** Members that tell why a job waits and how long it will. */
export const OUTLOOK = {
  waits_for: z
    .enum(WAITS_FOR)
    .optional()
    .describe('Why it has not started, as far as it can be told; only of a job that waits.'),
  estimate: z
    .strictObject({
      starts_in: SECONDS.optional().describe('Seconds until it starts; of a job that waits.'),
      ends_in: SECONDS.describe('Seconds until it has ended.'),
    })
    .optional()
    .describe(
      "A guess from how the task's last jobs went and what stands before this one; absent when unknown.",
    ),
};
