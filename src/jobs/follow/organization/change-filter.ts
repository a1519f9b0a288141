import { z } from 'zod';
import { parseQuery, wrongParameter } from '../../../platform/http/paging/page-query.js';
import { contradictionOf, FILTER_QUERY, jobFilterOf } from '../../list/search/job-filter.schema.js';
import type { JobFilter } from '../../list/search/job-filter.js';
import type { JobSnapshot } from '../../read/watch/job-snapshot.store.js';

/** How many wrong parameters one answer names. */
const MAX_NAMED = 10;

const QUERY = z.strictObject(FILTER_QUERY).omit({
  created_after: true,
  created_before: true,
  ended_after: true,
  ended_before: true,
});

/**
 * The filter of a stream, as its query says it.
 * @throws Problem `malformed-request`
 */
export function changeFilter(query: Readonly<Record<string, unknown>>): JobFilter {
  const members = parseQuery(QUERY, query, MAX_NAMED);
  const contradiction = contradictionOf(members);
  if (contradiction !== null) {
    throw wrongParameter(contradiction.name, contradiction.reason);
  }
  return jobFilterOf(members);
}

/** Whether a filter takes a job as it is at one moment; what a list's search says in SQL. */
export function takes(filter: JobFilter, job: JobSnapshot): boolean {
  const has = ([name, value]: readonly [string, string]): boolean =>
    Object.hasOwn(job.labels, name) && job.labels[name] === value;
  const texts = [...Object.values(job.labels), job.error?.title ?? ''].map((text) =>
    text.toLowerCase(),
  );
  return (
    (filter.statuses?.includes(job.status) ?? true) &&
    (filter.topic ?? job.topic) === job.topic &&
    (filter.task ?? job.task) === job.task &&
    filter.labels.every(has) &&
    !filter.excludedLabels.some(has) &&
    !filter.excludedTasks.some(([topic, task]) => topic === job.topic && task === job.task) &&
    job.jobId.replaceAll('-', '').startsWith(filter.idPrefix ?? '') &&
    filter.words.every((word) => texts.some((text) => text.includes(word)))
  );
}
