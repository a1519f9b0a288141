import type { JobStatus } from '../job/job-status.js';

/** Why a job has not started. */
export const WAITS_FOR = [
  'slot',
  'organization-cap',
  'task-cap',
  'run-after',
  'backoff',
  'worker',
] as const;
export type WaitsFor = (typeof WAITS_FOR)[number];

/** What lies ahead of a job, as far as it can be told. */
export interface Outlook {
  /** Of a job that waits. */
  readonly waitsFor: WaitsFor | null;
  /** Seconds from now; null: unknown. */
  readonly estimate: {
    /** Of a job that waits. */
    readonly startsIn: number | null;
    readonly endsIn: number;
  } | null;
}

/** What an outlook is told from. */
export interface OngoingJob {
  readonly id: string;
  readonly topic: string;
  readonly task: string;
  readonly status: JobStatus;
  readonly progress: number;
  /** How often it was started, and how often it failed. */
  readonly attempt: number;
  readonly failures: number;
  /** When its last attempt started. */
  readonly startedAt: Date | null;
  /** Not before this moment. */
  readonly runAfter: Date | null;
}

/** How the jobs of a task go at the moment, for one organization. */
export interface TaskOutlook {
  /** Whether a live worker runs the task. */
  readonly served: boolean;
  /** Whether as many of its jobs run as may, over all organizations. */
  readonly full: boolean;
  /** Median of how long its last successes ran, in seconds; null: too few to tell. */
  readonly runSeconds: number | null;
}

/** How an organization's jobs go at the moment. */
export interface OrganizationOutlook {
  /** By the database's clock. */
  readonly now: Date;
  /** Whether as many of its jobs run as may. */
  readonly full: boolean;
  readonly running: number;
  /** Those that are next to start, in that order: some hundreds. */
  readonly next: ReadonlyMap<string, number>;
}

export const NO_OUTLOOK: Outlook = { waitsFor: null, estimate: null };

/** Progress below this says little of what is left. */
const TELLING_PROGRESS = 5;

/** Why a job waits and how long it will, from what is known of its task and its organization. */
export function outlookOf(
  job: OngoingJob,
  task: TaskOutlook,
  organization: OrganizationOutlook,
): Outlook {
  switch (job.status) {
    case 'requested': {
      const waitsFor = reasonOf(job, task, organization);
      return {
        waitsFor,
        estimate: waitsFor === 'worker' ? null : startOf(job, task, organization),
      };
    }
    case 'in progress':
      return { waitsFor: null, estimate: endOf(job, task, organization.now) };
    case 'canceling':
    case 'succeeded':
    case 'failed':
    case 'canceled':
      return NO_OUTLOOK;
    default:
      return job.status satisfies never;
  }
}

function reasonOf(
  { runAfter, attempt }: OngoingJob,
  { served, full }: TaskOutlook,
  organization: OrganizationOutlook,
): WaitsFor {
  if (runAfter !== null && runAfter > organization.now) {
    return attempt > 0 ? 'backoff' : 'run-after';
  }
  if (!served) {
    return 'worker';
  }
  return organization.full ? 'organization-cap' : full ? 'task-cap' : 'slot';
}

function startOf(
  { id, runAfter }: OngoingJob,
  { runSeconds }: TaskOutlook,
  { now, next, running }: OrganizationOutlook,
): Outlook['estimate'] {
  if (runSeconds === null) {
    return null;
  }
  const due = runAfter === null ? 0 : Math.max(0, (runAfter.getTime() - now.getTime()) / 1_000);
  const place = next.get(id);
  if (place === undefined && due === 0) {
    return null;
  }
  // As if those before it ran as long, and as many at once as do now.
  const ahead = ((place ?? 0) * runSeconds) / Math.max(1, running);
  const startsIn = Math.max(due, ahead);
  return { startsIn: rounded(startsIn), endsIn: rounded(startsIn + runSeconds) };
}

function endOf(
  { startedAt, progress }: OngoingJob,
  { runSeconds }: TaskOutlook,
  now: Date,
): Outlook['estimate'] {
  if (startedAt === null) {
    return null;
  }
  const elapsed = Math.max(0, (now.getTime() - startedAt.getTime()) / 1_000);
  if (progress >= TELLING_PROGRESS) {
    return { startsIn: null, endsIn: rounded((elapsed * (100 - progress)) / progress) };
  }
  return runSeconds === null
    ? null
    : { startsIn: null, endsIn: rounded(Math.max(0, runSeconds - elapsed)) };
}

/** Tenths of a second say enough of a guess. */
const rounded = (seconds: number): number => Math.round(seconds * 10) / 10;
