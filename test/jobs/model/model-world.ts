import type { JobKey } from '../../../src/jobs/job/job.js';
import type { JobStatus } from '../../../src/jobs/job/job-status.js';

/** A moment that a job waits for: still to come, or come and not yet acted upon. */
export type Moment = 'later' | 'due';

/** An attempt that did not end its job. */
export interface KeptAttempt {
  readonly attempt: number;
  readonly worker: string;
  readonly outcome: 'failed' | 'retry later' | 'released' | 'lost';
  /** As JSON text. */
  readonly problem: string | null;
}

/** What a job must look like; `model-rows.ts` reads the same from its rows. */
export interface JobFacts {
  status: JobStatus;
  attempt: number;
  failures: number;
  crashes: number;
  progress: number;
  message: string | null;
  runAfter: Moment | null;
  expires: Moment | null;
  lease: string | null;
  /** The worker of the last attempt. */
  worker: string | null;
  /** As JSON text. */
  error: string | null;
  /** As JSON text. */
  results: string | null;
  kept: KeptAttempt[];
}

export interface ModelJob extends JobFacts {
  readonly name: string;
  readonly key: JobKey;
  readonly priority: number;
  readonly maxAttempts: number;
}

export interface ModelWorker {
  readonly name: string;
  readonly id: string;
  /** Has a row. */
  registered: boolean;
  /** For longer than its lease. */
  silent: boolean;
  draining: boolean;
}

/** Caps of one run: they do not change while it runs. */
export interface Limits {
  /** By organization; an organization that is missing has no cap. */
  readonly organizations: ReadonlyMap<string, number>;
  /** By name of the task. */
  readonly tasks: ReadonlyMap<string, number>;
}

/** The model: what the service should know. */
export interface World {
  readonly limits: Limits;
  readonly jobs: Map<string, ModelJob>;
  readonly workers: Map<string, ModelWorker>;
}

/** The answer or the rows cannot be explained: what the test is there to find. */
export class Impossible extends Error {}

export function expectThat(holds: boolean, sentence: string): asserts holds {
  if (!holds) {
    throw new Impossible(sentence);
  }
}

export const isRunning = ({ status }: JobFacts): boolean =>
  status === 'in progress' || status === 'canceling';

export const copyOf = ({ limits, jobs, workers }: World): World => ({
  limits,
  jobs: new Map([...jobs].map(([id, job]) => [id, { ...job, kept: [...job.kept] }])),
  workers: new Map([...workers].map(([id, worker]) => [id, { ...worker }])),
});

/** How many more jobs of the organization and the task of a job may start. */
export function roomFor({ limits, jobs }: World, { key }: ModelJob): number {
  const running = [...jobs.values()].filter(isRunning);
  const inOrganization = running.filter((job) => job.key.orgId === key.orgId).length;
  const ofTask = running.filter((job) => job.key.task === key.task).length;
  return Math.min(
    (limits.organizations.get(key.orgId) ?? Number.POSITIVE_INFINITY) - inOrganization,
    (limits.tasks.get(key.task) ?? Number.POSITIVE_INFINITY) - ofTask,
  );
}
