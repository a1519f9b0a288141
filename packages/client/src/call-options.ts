import type { Job } from './job.js';
import type { ParametersOf, TaskName } from './task-types.js';
import type { ExecuteOptions, JobStatus } from './wire-types.js';

/** What every call takes. */
export interface CallOptions {
  /** Ends the call, which then throws the reason of the signal; the job goes on. */
  readonly signal?: AbortSignal | undefined;
}

export interface SubmitOptions extends CallOptions {
  /** 1–255 visible ASCII characters: for 24 hours the same key with the same body is the same job. */
  readonly idempotencyKey?: string | undefined;
  /** Priority, times, attempts, labels. */
  readonly options?: ExecuteOptions | undefined;
  /** Needed for tasks that are previews. */
  readonly preview?: boolean | undefined;
}

export interface WaitOptions extends CallOptions {
  /** Called with the state at once, and with each change. */
  readonly onProgress?: ((status: JobStatus) => void) | undefined;
}

export interface RunOptions extends SubmitOptions, WaitOptions {
  /** Cancels the job, too; the call then throws the reason of the signal. */
  readonly signal?: AbortSignal | undefined;
  /** Called as soon as there is a job: keep it to find the job again. */
  readonly onSubmitted?: ((job: Job) => void) | undefined;
}

export interface LogOptions extends CallOptions {
  /** Whether to go on until the job has ended; else what there is at this moment. */
  readonly follow?: boolean | undefined;
}

export interface PageOptions extends CallOptions {
  /** How many a page may have, 1–200; default 50. */
  readonly limit?: number | undefined;
  /** Where to go on: that of the page before. */
  readonly cursor?: string | undefined;
}

export interface RerunOptions<T extends TaskName> extends SubmitOptions {
  /** Those of the new job; default: the same as before. */
  readonly parameters?: ParametersOf<T> | undefined;
}

export interface BulkOptions extends CallOptions {
  /** Only counts the jobs that would be changed. */
  readonly dryRun?: boolean | undefined;
}
