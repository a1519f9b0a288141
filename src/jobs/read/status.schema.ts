import { z } from 'zod';
import { PROBLEM } from '../../platform/http/problem/problem.schema.js';
import { JOB_STATUSES } from '../job/job-status.js';

export const STATUS_WORD = z.enum(JOB_STATUSES);
export const PROGRESS = z.int().min(0).max(100);

export const CANCEL_LINK = z.url().describe('While the job is ongoing: DELETE this to cancel it.');
export const RESULT_LINK = z
  .url()
  .describe('Once it has ended: GET this for its results or error.');

/** The body of `GET …/{job_id}/status`. */
export const JOB_STATUS = z
  .strictObject({
    status: STATUS_WORD.describe(
      'Clients that send `Evo-SDK-Source` are sent `cancelling` and `cancelled` instead.',
    ),
    progress: PROGRESS.describe('Percent; never falls within one attempt.'),
    message: z.string().optional().describe('What the task says of its progress.'),
    error: PROBLEM.optional(),
    links: z.union([
      z.strictObject({ cancel: CANCEL_LINK }),
      z.strictObject({ result: RESULT_LINK }),
    ]),
  })
  .meta({ id: 'JobStatus' });
