import { traceFields } from '../../platform/tracing/traceparent.js';
import type { JobKey } from './job.js';

/** What every line of the log about a job has: never parameters, results or messages. */
export const describeJob = (
  job: JobKey & { readonly attempt?: number; readonly traceparent?: string | null },
) => ({
  job: job.jobId,
  org: job.orgId,
  topic: job.topic,
  task: job.task,
  ...(job.attempt !== undefined && { attempt: job.attempt }),
  ...traceFields(job.traceparent),
});
