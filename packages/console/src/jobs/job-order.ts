import type { ListedJob } from 'headframe-client';

/** What the table can be sorted by; `-` before the name: largest first. */
export type Column = 'created' | 'task' | 'status' | 'progress' | 'wait' | 'run' | 'attempt';

/** Seconds that a job waited before its last start, or has waited. */
export function waitOf(job: ListedJob, now: number): number {
  const end = job.started_at ?? job.ended_at;
  return (
    Math.max(0, (end === undefined ? now : Date.parse(end)) - Date.parse(job.created_at)) / 1e3
  );
}

/** Seconds that the last attempt ran, or has run; null: none has started. */
export function runOf(job: ListedJob, now: number): number | null {
  if (job.started_at === undefined || job.status === 'requested') return null;
  const end = job.ended_at === undefined ? now : Date.parse(job.ended_at);
  return Math.max(0, end - Date.parse(job.started_at)) / 1_000;
}

/** The rows in the order of a column; without one, newest first, as the service lists them. */
export function sorted(
  rows: readonly ListedJob[],
  sort: string,
  now: number,
): readonly ListedJob[] {
  const descending = sort.startsWith('-');
  const value = VALUES[sort.replace(/^-/, '') as Column];
  if (value === undefined || sort === '-created') return rows;
  const turn = descending ? -1 : 1;
  return rows
    .map((job) => ({ job, by: value(job, now) }))
    .toSorted((a, b) => (a.by < b.by ? -turn : a.by > b.by ? turn : 0))
    .map(({ job }) => job);
}

const VALUES: Readonly<Record<Column, (job: ListedJob, now: number) => string | number>> = {
  created: ({ id }) => id,
  task: ({ task }) => task,
  status: ({ status }) => status,
  progress: ({ progress }) => progress,
  wait: waitOf,
  run: (job, now) => runOf(job, now) ?? -1,
  attempt: ({ attempt }) => attempt,
};
