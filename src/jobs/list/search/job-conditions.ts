import type { SqlValues } from '../../../platform/database/sql-values.js';
import { STATUS_SQL } from './job-tables.js';
import type { JobFilter } from './job-filter.js';

/** What holds for the jobs of a filter but its words, as SQL over the tables that a job may be in. */
export function conditionsOf(orgId: string, filter: JobFilter, values: SqlValues): string[] {
  const isLabeled = filter.labels.length + filter.excludedLabels.length > 0;
  const org = isLabeled ? values.add(orgId, 'uuid') : '';
  const conditions: string[] = [];
  const hold = (column: string, comparison: string, value: unknown, type: string): void => {
    if (value !== null) {
      conditions.push(`${column} ${comparison} ${values.add(value, type)}`);
    }
  };
  hold('s.topic', '=', filter.topic, 'text');
  hold('s.task', '=', filter.task, 'text');
  hold('s.created_at', '>=', filter.createdAfter, 'timestamptz');
  hold('s.created_at', '<', filter.createdBefore, 'timestamptz');
  hold('e.ended_at', '>=', filter.endedAfter, 'timestamptz');
  hold('e.ended_at', '<', filter.endedBefore, 'timestamptz');
  if (filter.statuses !== null) {
    conditions.push(`${STATUS_SQL} = ANY (${values.add(filter.statuses, 'text[]')})`);
  }
  const labeled = (name: string, value: string): string => `EXISTS (SELECT 1 FROM job_labels
    WHERE job_id = candidate.id AND org_id = ${org} AND name = ${values.add(name, 'text')} AND value = ${values.add(value, 'text')} OFFSET 0)`;
  conditions.push(...filter.labels.map(([name, value]) => labeled(name, value)));
  conditions.push(...filter.excludedLabels.map(([name, value]) => `NOT ${labeled(name, value)}`));
  conditions.push(
    ...filter.excludedTasks.map(
      ([topic, task]) =>
        `NOT (s.topic = ${values.add(topic, 'text')} AND s.task = ${values.add(task, 'text')})`,
    ),
  );
  return conditions;
}

/** What holds for the jobs of the words, as SQL over the same tables. */
export const wordsOf = ({ words }: JobFilter, values: SqlValues): string[] =>
  words.map((word) => {
    const part = values.add(word, 'text');
    return `(coalesce(position(${part} IN lower(e.error->>'title')), 0) > 0
      OR EXISTS (SELECT 1 FROM job_labels WHERE job_id = candidate.id AND position(${part} IN lower(value)) > 0 OFFSET 0))`;
  });
