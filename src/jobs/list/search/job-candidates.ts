import type { SqlValues } from '../../../platform/database/sql-values.js';
import { FINAL_STATUSES, type JobStatus } from '../../job/job-status.js';
import type { IdRange } from './id-range.js';
import type { JobFilter } from './job-filter.js';

/** Where a list looks for jobs: each is an index in the order of lists. */
export type JobSource = 'tasks' | 'states' | 'label' | 'ended';

/** SQL of a query of ids, newest first, at most as many as asked for. */
export type CandidateQuery = (values: SqlValues, most: number) => string;

/**
 * The jobs among which those of a filter are, from one source: the ids are those that an index tells without
 * reading what else holds.
 * - `tasks`: the submissions of one task, or merged from those of all tasks of the organization.
 * - `states`: what waits, runs, failed or was canceled; not for filters that take successes.
 * - `label`: what has the first label of the filter.
 * - `ended`: what ended in the time of the filter.
 */
export function candidatesFrom(
  source: JobSource,
  orgId: string,
  filter: JobFilter,
  range: IdRange,
): CandidateQuery {
  return (values, most) => {
    const org = values.add(orgId, 'uuid');
    const limit = values.add(most, 'int');
    const from = values.add(range.from, 'uuid');
    const to = values.add(range.to, 'uuid');
    const within = (id: string): string => `${id} BETWEEN ${from} AND ${to}`;
    const newest = (id: string): string => `ORDER BY ${id} DESC LIMIT ${limit}`;
    switch (source) {
      case 'tasks':
        return merged('job_submissions', 'id', tasksOf(values, org, filter), within, newest);
      case 'states':
        return `SELECT id FROM (${statesOf(filter)
          .map((status) => ofState(status, values, org, filter, within, newest))
          .map((query) => `(${query})`)
          .join(' UNION ALL ')}) AS state ${newest('id')}`;
      case 'label': {
        const [name, value] = filter.labels[0] as readonly [string, string];
        return `SELECT job_id AS id FROM job_labels
          WHERE org_id = ${org} AND name = ${values.add(name, 'text')} AND value = ${values.add(value, 'text')}
            AND ${within('job_id')} ${newest('job_id')}`;
      }
      case 'ended':
        return `SELECT job_id AS id FROM job_ends
          WHERE org_id = ${org} AND ended_at >= ${values.add(filter.endedAfter, 'timestamptz')}
            ${filter.endedBefore === null ? '' : `AND ended_at < ${values.add(filter.endedBefore, 'timestamptz')}`}
            AND ${within('job_id')} ${newest('job_id')}`;
      default:
        return source satisfies never;
    }
  };
}

/** A query of the groups of an index in which ids are sorted. */
interface Groups {
  /** SQL that answers them, one column for each of `columns`. */
  readonly query: string;
  readonly columns: readonly string[];
  /** What else holds for the rows of each, in SQL. */
  readonly where: string;
}

/** The newest of each group, merged. */
const merged = (
  table: string,
  id: string,
  { query, columns, where }: Groups,
  within: (id: string) => string,
  newest: (id: string) => string,
): string => `SELECT member.id FROM (${query}) AS part CROSS JOIN LATERAL (
    SELECT ${id} AS id FROM ${table} member
    WHERE ${where} AND ${columns.map((column) => `member.${column} = part.${column}`).join(' AND ')}
      AND ${within(`member.${id}`)} ${newest(`member.${id}`)}) AS member ${newest('member.id')}`;

/** The tasks of which an organization has jobs: the first of the index, then each time the next. */
function tasksOf(values: SqlValues, org: string, filter: JobFilter): Groups {
  return groupsOf('job_submissions', `org_id = ${org}`, ['topic', 'task'], values, filter);
}

/** What waits and may be claimed: in the order of the claims' own index, for each task and urgency. */
function waitingOf(values: SqlValues, org: string, filter: JobFilter): Groups {
  const where = `org_id = ${org} AND run_after IS NULL`;
  return groupsOf('job_queue', where, ['topic', 'task', 'urgency'], values, filter);
}

/** The distinct values of the first columns of an index, one look for each of them. */
function groupsOf(
  table: string,
  where: string,
  columns: readonly string[],
  values: SqlValues,
  { topic, task }: JobFilter,
): Groups {
  const list = columns.join(', ');
  const topicIs = topic === null ? '' : ` AND topic = ${values.add(topic, 'text')}`;
  const taskIs = task === null ? '' : ` AND task = ${values.add(task, 'text')}`;
  const look = (after: string): string => `SELECT ${list} FROM ${table}
      WHERE ${where}${topicIs}${taskIs}${after} ORDER BY ${list} LIMIT 1`;
  const last = columns.map((column) => `part.${column}`).join(', ');
  return {
    query: `WITH RECURSIVE part AS ((${look('')}) UNION ALL
      SELECT next.* FROM part CROSS JOIN LATERAL (${look(` AND (${list}) > (${last})`)}) AS next)
      SELECT * FROM part`,
    columns,
    where: where.replaceAll(/(org_id|run_after)/g, 'member.$1'),
  };
}

/** The states that a filter takes; all of them when it does not say. */
const statesOf = ({ statuses }: JobFilter): readonly JobStatus[] => statuses ?? [];

function ofState(
  status: JobStatus,
  values: SqlValues,
  org: string,
  filter: JobFilter,
  within: (id: string) => string,
  newest: (id: string) => string,
): string {
  const chosen = (): string =>
    (['topic', 'task'] as const)
      .filter((column) => filter[column] !== null)
      .map((column) => `AND ${column} = ${values.add(filter[column], 'text')}`)
      .join(' ');
  switch (status) {
    case 'requested':
      return `${merged('job_queue', 'job_id', waitingOf(values, org, filter), within, newest)})
        UNION ALL (SELECT job_id AS id FROM job_queue
          WHERE org_id = ${org} AND run_after IS NOT NULL ${chosen()} AND ${within('job_id')} ${newest('job_id')}`;
    case 'in progress':
    case 'canceling':
      return `SELECT job_id AS id FROM job_leases
        WHERE org_id = ${org} AND ${status === 'canceling' ? '' : 'NOT '}canceling ${chosen()}
          AND ${within('job_id')} ${newest('job_id')}`;
    case 'succeeded':
    case 'failed':
    case 'canceled':
      // The word itself, not a value: the planner must see that it is one of those in the index.
      return `SELECT job_id AS id FROM job_ends
        WHERE org_id = ${org} AND status = '${status}' AND ${within('job_id')} ${newest('job_id')}`;
    default:
      return status satisfies never;
  }
}

/** Whether a filter takes nothing but what `states` finds. */
export const isOfStates = ({ statuses }: JobFilter): boolean =>
  statuses !== null && !statuses.includes('succeeded');

/** Whether a filter takes only jobs that have ended. */
export const isOfEnded = ({ statuses, endedAfter, endedBefore }: JobFilter): boolean =>
  endedAfter !== null ||
  endedBefore !== null ||
  (statuses !== null &&
    statuses.every((status) => (FINAL_STATUSES as readonly JobStatus[]).includes(status)));
