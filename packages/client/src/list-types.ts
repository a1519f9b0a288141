import type { Job } from './job.js';
import type { JobStatus, Problem } from './wire-types.js';

/** The state of a job. */
export type JobState = JobStatus['status'];

/**
 * Which jobs: all that is named holds at once. Named as the service does, which judges it, too.
 * Times are RFC 3339 with their offset.
 */
export interface JobFilter {
  /** Any of these states. */
  readonly status?: readonly JobState[] | undefined;
  readonly topic?: string | undefined;
  /** The task's own name, without its topic, which must be named beside it. */
  readonly task?: string | undefined;
  /** `name:value`, all of them. */
  readonly label?: readonly string[] | undefined;
  readonly created_after?: string | undefined;
  readonly created_before?: string | undefined;
  readonly ended_after?: string | undefined;
  readonly ended_before?: string | undefined;
  /** None of these states. */
  readonly exclude_status?: readonly JobState[] | undefined;
  /** `name:value`, none of them. */
  readonly exclude_label?: readonly string[] | undefined;
  /** `topic/task`, none of them. */
  readonly exclude_task?: readonly string[] | undefined;
  /** The beginning of a job's id, or words in its labels and in the title of its error. */
  readonly q?: string | undefined;
}

/** Whose changes: a stream has no use for times. */
export type StreamFilter = Omit<
  JobFilter,
  'created_after' | 'created_before' | 'ended_after' | 'ended_before'
>;

/** What an unstarted job waits for. */
export type WaitsFor =
  | 'slot'
  | 'organization-cap'
  | 'task-cap'
  | 'run-after'
  | 'backoff'
  | 'worker';

/** What the list tells of a job. It is a `Job`: `task` is `topic/task`, and every call takes it. */
export interface ListedJob extends Job {
  readonly status: JobState;
  /** Percent. */
  readonly progress: number;
  readonly message?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly priority: number;
  readonly attempt: number;
  readonly created_at: string;
  readonly started_at?: string;
  readonly ended_at?: string;
  /** Of unstarted jobs only, as well as the service knows. */
  readonly waits_for?: WaitsFor;
  /** Why it failed or was canceled, in short. */
  readonly error?: Pick<Problem, 'status' | 'type' | 'title'>;
  /** Seconds, as well as the service can tell. */
  readonly estimate?: { readonly starts_in?: number; readonly ends_in?: number };
}

export interface JobPage {
  readonly jobs: readonly ListedJob[];
  /** Where to go on; null after the last page. */
  readonly cursor: string | null;
}

/** How many jobs a filter leaves. */
export interface JobSummary {
  readonly total: number;
  /** For how long the one that waits longest has waited. */
  readonly oldest_waiting_seconds?: number;
  readonly by_status: Readonly<Partial<Record<JobState, number>>>;
  readonly by_task: readonly {
    readonly topic: string;
    readonly task: string;
    readonly count: number;
  }[];
  /** Counting stopped: there are more. */
  readonly truncated: boolean;
}

/** Some jobs: by their ids (1–1,000), or all that a filter leaves, which must name something. */
export type JobSelection = { readonly ids: readonly string[] } | { readonly filter: JobFilter };

/** What came of an act on many jobs. */
export interface BulkOutcome {
  readonly matched: number;
  readonly changed: number;
  /** Others match, too: the act can be repeated for them. */
  readonly more: boolean;
}

/** A change of a job, as the stream of the organization tells it. */
export type ChangedJob = JobStatus &
  Job & {
    readonly labels?: Readonly<Record<string, string>>;
    readonly attempt?: number;
    readonly created_at?: string;
    readonly started_at?: string;
    readonly ended_at?: string;
  };

/** What the stream of changes gives. */
export type Change =
  | { readonly type: 'changed'; readonly job: ChangedJob }
  /**
   * List again: changes may have been missed. It comes first of all, after each gap, and every few
   * seconds while there is no stream of events (`live` is false then).
   */
  | { readonly type: 'reset'; readonly live: boolean };
