import { JOB_CANCELED } from '../../../src/jobs/job/job-problems.js';
import { isFinal, type JobStatus } from '../../../src/jobs/job/job-status.js';
import type { Seen } from './model-rows.js';
import { expectThat, type KeptAttempt, type ModelJob, type World } from './model-world.js';

/** What a step can know besides the world. */
export interface Circumstances {
  /** Nothing else was done at the same time: then what was skipped had a reason. */
  readonly alone: boolean;
  /** The rows afterwards. */
  readonly seen: Seen;
}

/** Something that is done, in two halves: the real thing, and what the model makes of its answer. */
export interface Action {
  readonly title: string;
  /** The real thing. @returns how the model goes on: throws Impossible when it cannot explain the answer */
  perform(): Promise<Explanation>;
}

export interface Explanation {
  /** The answer, for the story. */
  readonly answer: string;
  step(world: World, circumstances: Circumstances): void;
}

export function end(job: ModelJob, status: JobStatus, error: string | null): void {
  expectThat(!isFinal(job.status), `${job.name} ended twice`);
  Object.assign(job, { status, error, lease: null, runAfter: null, expires: null });
}

/** The job goes on without the attempt that held it. */
export function giveBack(
  job: ModelJob,
  outcome: KeptAttempt['outcome'],
  problem: string | null,
): void {
  const { attempt, worker } = job;
  job.kept.push({ attempt, worker: worker as string, outcome, problem });
  Object.assign(job, { status: 'requested', lease: null, progress: 0, message: null });
}

export const endAsCanceled = (job: ModelJob): void =>
  end(job, 'canceled', JSON.stringify(JOB_CANCELED));

/** A job, in words. */
export const describe = (job: ModelJob | null): string =>
  job === null
    ? 'held by somebody else or nobody'
    : [
        job.status,
        ...(job.runAfter ? [`run after: ${job.runAfter}`] : []),
        ...(job.expires ? [`expires: ${job.expires}`] : []),
      ].join(', ');
