import { z } from 'zod';
import { PROBLEM } from '../../platform/http/problem/problem.schema.js';
import { FINAL_STATUSES } from '../job/job-status.js';
import { STATUS_WORD } from './status.schema.js';

/** The body of `GET …/{job_id}` while the job is ongoing. */
export const JOB_ONGOING = z
  .strictObject({
    status: STATUS_WORD.exclude(FINAL_STATUSES),
    links: z.strictObject({
      cancel: z.url().describe('DELETE this to cancel the job.'),
      status: z.url().describe('Poll this.'),
    }),
  })
  .meta({ id: 'JobOngoing' });

const SUCCEEDED = z.strictObject({
  status: z.literal('succeeded'),
  results: z.record(z.string(), z.unknown()),
});

export const JOB_WITHOUT_RESULTS = z.strictObject({
  status: z.enum(FINAL_STATUSES).exclude(['succeeded']),
  error: PROBLEM,
});

/** The body of `GET …/{job_id}` of a job that has ended. */
export const JOB_RESULTS = z
  .discriminatedUnion('status', [SUCCEEDED, JOB_WITHOUT_RESULTS])
  .meta({ id: 'JobResults' });
