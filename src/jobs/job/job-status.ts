/** The states of a job: the same words in table, code, log and on the wire. */
export const JOB_STATUSES = [
  'requested',
  'in progress',
  'canceling',
  'succeeded',
  'failed',
  'canceled',
] as const;

export type JobStatus = (typeof JOB_STATUSES)[number];

/** States that a job never leaves. */
export const FINAL_STATUSES = ['succeeded', 'failed', 'canceled'] as const;

export function isFinal(status: JobStatus): status is (typeof FINAL_STATUSES)[number] {
  return (FINAL_STATUSES as readonly JobStatus[]).includes(status);
}
