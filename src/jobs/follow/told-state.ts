import { crc32 } from 'node:zlib';
import { shortId } from '../feed/short-id.js';
import { isFinal, type JobStatus } from '../job/job-status.js';
import type { JobSnapshot } from '../read/watch/job-snapshot.store.js';

/**
 * How far a job has come: its states stand in one order, whoever reads them, so that a client can say to any
 * replica which it has seen.
 */
export interface ToldState {
  readonly attempt: number;
  /** Of the status within its attempt. */
  readonly rank: number;
  readonly progress: number;
  /** Which job and message it was. */
  readonly print: string;
}

const ID = /^([\w-]{22})\.(\d{1,9})\.([1-4])\.(\d{1,3})\.([0-9a-z]{1,7})$/;

/** Within an attempt: it runs, is to be canceled, waits for the next; and the end of all. */
function rankOf(status: JobStatus): number {
  if (isFinal(status)) {
    return 4;
  }
  return status === 'in progress' ? 1 : status === 'canceling' ? 2 : 3;
}

export const toldState = ({
  jobId,
  status,
  attempt,
  progress,
  message,
}: JobSnapshot): ToldState => ({
  attempt,
  rank: rankOf(status),
  progress,
  print: crc32(`${jobId} ${message ?? ''}`).toString(36),
});

/** What a client comes back with: the job, and how far it had come. */
export const stateId = (job: JobSnapshot): string => {
  const { attempt, rank, progress, print } = toldState(job);
  return `${shortId(job.jobId)}.${attempt}.${rank}.${progress}.${print}`;
};

/** @returns null when the id is none of {@link stateId}, or not of that job */
export function stateOfId(id: string, jobId: string): ToldState | null {
  const [, job, attempt, rank, progress, print = ''] = ID.exec(id) ?? [];
  return job === shortId(jobId)
    ? { attempt: Number(attempt), rank: Number(rank), progress: Number(progress), print }
    : null;
}

/** Negative: the one comes before the other; 0: neither does, though their messages may differ. */
export const compareStates = (one: ToldState, other: ToldState): number =>
  one.attempt - other.attempt || one.rank - other.rank || one.progress - other.progress;

/** Whether nothing is new in the other, its message included. */
export const isSameState = (one: ToldState, other: ToldState): boolean =>
  compareStates(one, other) === 0 && one.print === other.print;

/**
 * The states that a job must have been in between two that were read, though nobody saw them: each attempt
 * runs, and whoever starts again has waited. So a job of a millisecond is told of like any other.
 * @param from null: before it was submitted
 */
export function statesBetween(from: ToldState | null, job: JobSnapshot): JobSnapshot[] {
  const to = toldState(job);
  const passed: JobSnapshot[] = [];
  const pass = (status: JobStatus, attempt: number): void => {
    const last = attempt === to.attempt;
    if (!last || rankOf(status) < to.rank) {
      const startedAt = last && status !== 'requested' ? job.startedAt : null;
      const nothing = { progress: 0, message: null, error: null, endedAt: null };
      passed.push({ ...job, status, attempt, startedAt, ...nothing });
    }
  };
  if (from === null) {
    pass('requested', 0);
  }
  let waits = from === null || from.rank === 3;
  // Of a job that is started again and again only the last start is told.
  const first = Math.max(from?.attempt ?? 0, to.attempt - 2);
  for (let attempt = first + 1; attempt <= to.attempt; attempt += 1) {
    if (!waits) {
      pass('requested', attempt - 1);
    }
    pass('in progress', attempt);
    waits = false;
  }
  return passed;
}
