import type { SqlValues } from '../../../platform/database/sql-values.js';
import type { JobStatus } from '../../job/job-status.js';
import type { IdRange } from './id-range.js';
import { groupsOf } from './index-groups.js';
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
    const context: Context = {
      values,
      filter,
      org: ['org_id', values.add(orgId, 'uuid')],
      from: values.add(range.from, 'uuid'),
      to: values.add(range.to, 'uuid'),
      limit: values.add(most, 'int'),
    };
    switch (source) {
      case 'tasks':
        return mergedTasks(context);
      case 'states':
        return `SELECT id FROM (${(filter.statuses ?? [])
          .flatMap((status) => ofState(status, context))
          .map((query) => `(${query})`)
          .join(' UNION ALL ')}) AS state ORDER BY id DESC LIMIT ${context.limit}`;
      case 'label':
        return ofLabel(context);
      case 'ended':
        return ofTime(context);
      default:
        return source satisfies never;
    }
  };
}

/** A column of an index, and SQL of the value that it must have. */
type KeyPart = readonly [column: string, value: string];

/** What all sources are asked for, in SQL. */
interface Context {
  readonly values: SqlValues;
  readonly filter: JobFilter;
  readonly org: KeyPart;
  readonly from: string;
  readonly to: string;
  readonly limit: string;
}

/**
 * The newest of those of the organization with one beginning of an index key whose last column is the id of the job.
 *
 * They are named by two keys of the index behind the organization, from one to the other. By equalities and the id
 * the planner may take the primary key instead, and read what all organizations have; and with the organization
 * among the compared, the index is read from its end on, as the policy names the organization as well.
 */
function newestOf(
  table: string,
  key: readonly KeyPart[],
  id: string,
  { org, from, to, limit }: Context,
  also = '',
): string {
  const columns = [...key.map(([column]) => column), id].map((column) => `member.${column}`);
  const value = key.map(([, one]) => `${one}, `).join('');
  return `SELECT member.${id} AS id FROM ${table} member
    WHERE member.${org[0]} = ${org[1]}
      AND (${columns.join(', ')}) >= (${value}${from}) AND (${columns.join(', ')}) <= (${value}${to})${also}
    ORDER BY ${columns.map((column) => `${column} DESC`).join(', ')} LIMIT ${limit}`;
}

/**
 * The newest of each group of an index, merged. The groups differ in the columns between the organization and the
 * id.
 * @param columns those columns, in the order of the index; null: the value is not known
 */
function merged(
  table: string,
  columns: readonly (readonly [column: string, value: string | null])[],
  id: string,
  context: Context,
  also = '',
): string {
  const { org, limit } = context;
  const open = columns.filter(([, value]) => value === null).map(([column]) => column);
  const key = columns.map(([column, value]): KeyPart => [column, value ?? `part.${column}`]);
  const newest = newestOf(table, key, id, context, also);
  if (open.length === 0) {
    return newest;
  }
  const known = [org, ...columns.filter((column): column is KeyPart => column[1] !== null)]
    .map(([column, value]) => `member.${column} = ${value}`)
    .join(' AND ');
  return `SELECT found.id FROM (${groupsOf(table, known + also, open)}) AS part
    CROSS JOIN LATERAL (${newest}) AS found ORDER BY found.id DESC LIMIT ${limit}`;
}

/** The submissions of the tasks of which an organization has jobs. */
const mergedTasks = (context: Context): string =>
  merged('job_submissions', taskColumns(context), 'id', context);

function ofState(status: JobStatus, context: Context): string[] {
  const { org, from, to, limit } = context;
  switch (status) {
    case 'requested':
      return [
        // What may be claimed: in the order of the claims' own index, for each task and urgency.
        merged(
          'job_queue',
          [...taskColumns(context), ['urgency', null]],
          'job_id',
          context,
          ' AND member.run_after IS NULL',
        ),
        newestOf(
          'job_queue',
          [],
          'job_id',
          context,
          ` AND member.run_after IS NOT NULL${ofTask(context)}`,
        ),
      ];
    case 'in progress':
    case 'canceling':
      return [
        `SELECT member.job_id AS id FROM job_leases member
          WHERE member.org_id = ${org[1]} AND ${status === 'canceling' ? '' : 'NOT '}member.canceling
            AND member.job_id BETWEEN ${from} AND ${to}${ofTask(context)}
          ORDER BY member.job_id DESC LIMIT ${limit}`,
      ];
    case 'succeeded':
    case 'failed':
    case 'canceled': {
      // As the index has it: the planner must see that it has what is asked for.
      const also = " AND member.status <> 'succeeded'";
      return [newestOf('job_ends', [['status', `'${status}'::text`]], 'job_id', context, also)];
    }
    default:
      return status satisfies never;
  }
}

function ofLabel(context: Context): string {
  const { values, filter } = context;
  const [name, value] = filter.labels[0] as readonly [string, string];
  const key: KeyPart[] = [
    ['name', values.add(name, 'text')],
    ['value', values.add(value, 'text')],
  ];
  return newestOf('job_labels', key, 'job_id', context);
}

function ofTime({ values, filter, org, from, to, limit }: Context): string {
  const { endedAfter, endedBefore } = filter;
  const before =
    endedBefore === null ? '' : `AND ended_at < ${values.add(endedBefore, 'timestamptz')}`;
  // Sorted behind: in the order of the primary key it would read what all organizations have.
  return `SELECT id FROM (SELECT job_id AS id FROM job_ends
      WHERE org_id = ${org[1]} AND ended_at >= ${values.add(endedAfter, 'timestamptz')} ${before}
        AND job_id BETWEEN ${from} AND ${to} OFFSET 0) AS ended
    ORDER BY id DESC LIMIT ${limit}`;
}

/** Topic and task, and what a filter says of them. */
const taskColumns = ({ filter, values }: Context): [string, string | null][] =>
  (['topic', 'task'] as const).map((column) => [
    column,
    filter[column] === null ? null : values.add(filter[column], 'text'),
  ]);

const ofTask = (context: Context): string =>
  taskColumns(context)
    .filter(([, value]) => value !== null)
    .map(([column, value]) => ` AND member.${column} = ${value}`)
    .join('');

/** Whether a filter takes nothing but what `states` finds. */
export const isOfStates = ({ statuses }: JobFilter): boolean =>
  statuses !== null && !statuses.includes('succeeded');
