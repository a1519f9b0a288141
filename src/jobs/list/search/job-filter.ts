import type { JobStatus } from '../../job/job-status.js';

/** A name and a value. */
export type Label = readonly [name: string, value: string];

/** A topic and a task. */
export type TaskAddress = readonly [topic: string, task: string];

/** Which jobs of an organization: those for which everything holds that is said. */
export interface JobFilter {
  /** One of these; null: any. */
  readonly statuses: readonly JobStatus[] | null;
  readonly topic: string | null;
  /** Only with a topic. */
  readonly task: string | null;
  /** All of these. */
  readonly labels: readonly Label[];
  /** None of these. */
  readonly excludedLabels: readonly Label[];
  readonly excludedTasks: readonly TaskAddress[];
  /** Submitted at this moment or later. */
  readonly createdAfter: Date | null;
  /** Submitted before this moment. */
  readonly createdBefore: Date | null;
  /** Ended at this moment or later. */
  readonly endedAfter: Date | null;
  /** Ended before this moment. */
  readonly endedBefore: Date | null;
  /** A job id, or its first hexadecimal digits: as {@link idPrefixOf} answers it. */
  readonly idPrefix: string | null;
  /** Each is part of a value of a label or of the error's title, in lower case. */
  readonly words: readonly string[];
}

/** All jobs. */
export const ANY_JOB: JobFilter = {
  statuses: null,
  topic: null,
  task: null,
  labels: [],
  excludedLabels: [],
  excludedTasks: [],
  createdAfter: null,
  createdBefore: null,
  endedAfter: null,
  endedBefore: null,
  idPrefix: null,
  words: [],
};

/** Whether a filter takes every job. */
export const takesAll = (filter: JobFilter): boolean =>
  JSON.stringify(filter) === JSON.stringify(ANY_JOB);

/**
 * Whether a text that is looked for is a job id, or the first eight or more of its digits.
 * @returns the hexadecimal digits in lower case, without hyphens; null: it is neither
 */
export function idPrefixOf(text: string): string | null {
  const digits = text.toLowerCase().replaceAll('-', '');
  const isWritten = /^[0-9a-f]{8}(-?([0-9a-f]{0,4}-?){0,3}[0-9a-f]{0,12})?$/i.test(text);
  return isWritten && digits.length >= 8 && digits.length <= 32 ? digits : null;
}
