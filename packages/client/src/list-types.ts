import type { components, paths } from './generated/api.js';
import type { Job } from './job.js';
import type { JobStatus, ORGANIZATION_PATHS } from './wire-types.js';

/** The state of a job. */
export type JobState = JobStatus['status'];

type SelectionBody =
  paths[typeof ORGANIZATION_PATHS.cancel]['post']['requestBody']['content']['application/json'];
type WireFilter = NonNullable<SelectionBody['filter']>;

/**
 * Which jobs: all that is named holds at once. Named as the service does, which judges it, too. Times are
 * RFC 3339 with their offset, labels `name:value`; `task` is the task's own name, with `topic` beside it.
 */
export type JobFilter = {
  readonly [Name in keyof WireFilter]?:
    | (Name extends 'status' | 'exclude_status'
        ? readonly JobState[]
        : NonNullable<WireFilter[Name]> extends string[]
          ? readonly string[]
          : WireFilter[Name])
    | undefined;
};

/** Whose changes: a stream has no use for times. */
export type StreamFilter = Omit<
  JobFilter,
  'created_after' | 'created_before' | 'ended_after' | 'ended_before'
>;

/** A job as it is listed on the wire: the topic stands by itself there. */
export type WireJob = components['schemas']['ListedJob'];

/** What the list tells of a job. It is a `Job`: `task` is `topic/task`, and every call takes it. */
export type ListedJob = Job & Omit<WireJob, 'topic' | 'task'>;

/** What an unstarted job waits for. */
export type WaitsFor = NonNullable<WireJob['waits_for']>;

export interface JobPage {
  readonly jobs: readonly ListedJob[];
  /** Where to go on; null after the last page. A page may have fewer jobs than asked for, even none. */
  readonly cursor: string | null;
}

/** How many jobs a filter leaves. */
export type JobSummary = Omit<components['schemas']['JobSummary'], 'by_status'> & {
  readonly by_status: Readonly<Partial<Record<JobState, number>>>;
};

/** Some jobs: by their ids (1–1,000), or all that a filter leaves, which must name something. */
export type JobSelection = { readonly ids: readonly string[] } | { readonly filter: JobFilter };

/** What came of an act on many jobs. */
export type BulkOutcome = components['schemas']['BulkAnswer'];

/** A change of a job on the wire. */
export type WireChange = components['schemas']['OrganizationEvent'];

/** A change of a job, as the stream of the organization tells it: the job, and what its status says. */
export type ChangedJob = Job & Omit<WireChange, 'topic' | 'task'>;

/** What the stream of changes gives. */
export type Change =
  | { readonly type: 'changed'; readonly job: ChangedJob }
  /**
   * List again: changes may have been missed. It comes first of all, after each gap, and every few
   * seconds while there is no stream of events (`live` is false then).
   */
  | { readonly type: 'reset'; readonly live: boolean };
