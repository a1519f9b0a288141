import type { JobStatus } from './job-status.js';

/** One transition: which states it leaves, whether it demands the lease, and where each may lead. */
export interface Transition {
  /** For each state that it leaves, the states that may follow. Every other state is left untouched. */
  readonly from: Partial<Record<JobStatus, readonly JobStatus[]>>;
  /** Whether only the holder of the job's current lease may make it. */
  readonly needsLease: boolean;
}

/**
 * Every way in which a job changes its state: the SQL does this, the matrix test tries each against
 * every state, and docs/job-lifecycle.md draws it.
 */
export const TRANSITIONS = {
  /** A worker with a free slot starts the job: attempt + 1, a fresh lease. */
  claim: { from: { requested: ['in progress'] }, needsLease: false },
  /** The client wants it stopped: an unstarted job ends at once, a running one is asked to stop. */
  requestCancel: {
    from: { requested: ['canceled'], 'in progress': ['canceling'], canceling: ['canceling'] },
    needsLease: false,
  },
  /** The task returned results. A cancel that came first wins. */
  succeed: {
    from: { 'in progress': ['succeeded'], canceling: ['canceled'] },
    needsLease: true,
  },
  /** The attempt failed: the job waits for its next attempt, if it has one, or fails. */
  fail: {
    from: { 'in progress': ['failed', 'requested'], canceling: ['canceled'] },
    needsLease: true,
  },
  /** The task asks to be run again later: the job waits, and nothing is counted. */
  postpone: {
    from: { 'in progress': ['requested'], canceling: ['canceled'] },
    needsLease: true,
  },
  /** The runner stopped because of a cancel. */
  endCanceled: { from: { canceling: ['canceled'] }, needsLease: true },
  /** A worker that shuts down hands the job back; nothing is counted. */
  release: {
    from: { 'in progress': ['requested'], canceling: ['canceled'] },
    needsLease: true,
  },
  /** It was not started in the time that its client gave it. */
  expire: { from: { requested: ['failed'] }, needsLease: false },
  /** The worker was lost: a crash is counted; the third fails the job. */
  reap: {
    from: { 'in progress': ['requested', 'failed'], canceling: ['canceled'] },
    needsLease: false,
  },
} as const satisfies Record<string, Transition>;

export type TransitionName = keyof typeof TRANSITIONS;

/**
 * A job that has lost this many workers fails: it is probably what kills them. `claim_jobs` and its
 * index of jobs at their last chance count one less, and change with it: a test compares them.
 */
export const MAX_CRASHES = 3;
