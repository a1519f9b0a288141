/** The address of a job: it is found under these four together or not at all. */
export interface JobKey {
  readonly jobId: string;
  readonly orgId: string;
  readonly topic: string;
  readonly task: string;
}

/** What a client may ask of one job beside its parameters. */
export interface JobOptions {
  /** -100 to 100; among the jobs of one organization, the higher start first. */
  readonly priority: number;
  /** Not to be started before; null: at once. */
  readonly runAfter: Date | null;
  /** How long it may wait unstarted, from the moment it may start; null: forever. */
  readonly expiresAfterSeconds: number | null;
  /** Limit on the running time of an attempt; null: the task's. */
  readonly timeoutSeconds: number | null;
  readonly labels: Readonly<Record<string, string>> | null;
}

export const NO_OPTIONS: JobOptions = {
  priority: 0,
  runAfter: null,
  expiresAfterSeconds: null,
  timeoutSeconds: null,
  labels: null,
};

/** Longer parameters and results, in bytes, are kept apart, so that reading a job is never reading them. */
export const MAX_BYTES_IN_ROW = 4_096;
