import type { AttemptOutcome } from '../../jobs/lease/attempt-outcome.js';
import type { RecordedSpan } from './trace/span-recorder.js';
import type { CatalogueEntry } from '../catalogue/task-catalogue.js';

/** What a runner needs of the trace of an attempt. */
export interface AttemptTrace {
  /** Its place, for what it starts elsewhere. */
  readonly traceparent: string;
  /** Takes pieces of its work that have ended; null: of this trace nothing is kept. */
  readonly record: ((span: RecordedSpan) => void) | null;
}

/** Why an attempt is stopped before its task is done: the reason of its abort signal. */
export const STOP_REASONS = [
  'canceled',
  'timed out',
  'no free slot',
  'shutting down',
  'lease lost',
] as const;

export type StopReason = (typeof STOP_REASONS)[number];

/** One attempt of a job, as a runner executes it. */
export interface Attempt {
  readonly jobId: string;
  readonly leaseId: string;
  readonly orgId: string;
  readonly number: number;
  readonly entry: CatalogueEntry;
  /** How many threads it may use now, in shared memory; null for a task that uses one. */
  readonly threads: Int32Array<SharedArrayBuffer> | null;
  /** A JSON document, as text. */
  readonly parameters: string;
  /** What is told of it to whoever traces; null: nobody does. */
  readonly trace?: AttemptTrace | null;
  /**
   * Aborts with a {@link StopReason}; the runner then settles within its grace time. Made when it is first
   * asked for: it costs a short job more than all else.
   */
  readonly signal: AbortSignal;
  /** Calls back, once, when the attempt is to stop: at once if it is already. Holds one listener. */
  onStop(listener: () => void): void;
  onProgress(percent: number, message: string | null): void;
}

/** Executes attempts. `run` never rejects for what a task does. */
export interface Runner {
  run(attempt: Attempt): Promise<AttemptOutcome>;
}
