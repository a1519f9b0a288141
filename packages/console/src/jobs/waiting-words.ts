import type { WaitsFor } from 'headframe-client';
import { momentWords } from '../format/time-words.js';

/** Why a job has not started, in a few words: for a table. */
export const WAITS_SHORT: Readonly<Record<WaitsFor, string>> = {
  slot: 'for a free slot',
  'organization-cap': 'cap of the organization reached',
  'task-cap': 'cap of the task reached',
  'run-after': 'until its time comes',
  backoff: 'backing off after a failure',
  worker: 'no worker serves this task',
};

/** The same in a sentence, with what can be done about it. */
export function waitingWords(job: {
  readonly waits_for?: WaitsFor;
  readonly failures: number;
  readonly max_attempts: number;
  readonly run_after: string | null;
  readonly task: string;
}): string {
  const until = job.run_after === null ? '' : ` It starts after ${momentWords(job.run_after)}.`;
  switch (job.waits_for) {
    case 'slot':
      return 'All workers are busy. It starts as soon as a slot is free and its turn has come.';
    case 'organization-cap':
      return 'Your organization runs as many jobs at once as it may. It starts when one of them ends.';
    case 'task-cap':
      return 'This task runs as often at once as it may. It starts when one of these jobs ends.';
    case 'run-after':
      return `It was submitted for later.${until}`;
    case 'backoff':
      return `It failed ${job.failures} of at most ${job.max_attempts} times, and is tried again.${until}`;
    case 'worker':
      return `No worker that is alive serves ${job.task}. Ask the operator to start one.`;
    case undefined:
      return 'It waits for a worker.';
    default:
      return job.waits_for satisfies never;
  }
}
