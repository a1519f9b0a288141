import type { JobState, ListedJob } from 'headframe-client';
import { tellSeconds } from '../duration.js';
import { table } from './table.js';
import type { Terminal } from './terminal.js';

const COLORS = {
  requested: 'dim',
  'in progress': 'cyan',
  canceling: 'yellow',
  succeeded: 'green',
  failed: 'red',
  canceled: 'yellow',
} as const satisfies Record<JobState, string>;

/** A state in its colour. */
export function statusText(status: JobState, terminal: Terminal): string {
  return terminal.paint(COLORS[status], status);
}

/** Jobs as a table. @param now to tell how long they have run */
export function jobTable(jobs: readonly ListedJob[], terminal: Terminal, now: number): string {
  const rows = jobs.map((job) => [
    job.id,
    job.task,
    statusText(job.status, terminal),
    job.status === 'in progress' ? `${job.progress} %` : '',
    moment(job.created_at),
    tookOf(job, now),
    noteOf(job),
  ]);
  const titles = ['ID', 'TASK', 'STATUS', 'DONE', 'CREATED', 'TOOK', ''];
  return table(titles, rows, terminal.columns);
}

/** A moment in the zone of whoever reads it. */
export function moment(text: string): string {
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) return text;
  const two = (number: number) => String(number).padStart(2, '0');
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-');
  return `${day} ${[date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':')}`;
}

function tookOf({ started_at, ended_at }: ListedJob, now: number): string {
  if (started_at === undefined) return '';
  const end = ended_at === undefined ? now : Date.parse(ended_at);
  return tellSeconds(Math.max(0, (end - Date.parse(started_at)) / 1000));
}

/** What is most worth knowing besides. */
function noteOf({ error, waits_for, estimate, message, labels }: ListedJob): string {
  if (error !== undefined) return error.title;
  if (waits_for !== undefined) {
    const starts = estimate?.starts_in;
    const soon = starts === undefined ? '' : `, starts in about ${tellSeconds(starts)}`;
    return `waits for ${waits_for}${soon}`;
  }
  const named = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
  return [message ?? '', ...named].filter((part) => part !== '').join('  ');
}
