import type { JobFilter, JobState } from 'headframe-client';
import { listOf, type Search, textOf } from '../app/address.js';
import { serviceNow } from '../api/service-clock.js';

/** Every state, in the order of a job's life. */
export const STATES: readonly JobState[] = [
  'requested',
  'in progress',
  'canceling',
  'succeeded',
  'failed',
  'canceled',
];

/** How far back, by the word in the address. */
export const PERIODS = {
  '1h': { words: 'in the last hour', seconds: 3_600 },
  '24h': { words: 'in the last day', seconds: 86_400 },
  '7d': { words: 'in the last week', seconds: 604_800 },
  '30d': { words: 'in the last 30 days', seconds: 2_592_000 },
} as const;
export type Period = keyof typeof PERIODS;

/** What the page is asked to show, as its address says. */
export interface JobsSearch {
  readonly status: readonly JobState[];
  readonly exclude_status: readonly JobState[];
  /** `topic/task` or `topic` alone; at most one. */
  readonly task: string;
  readonly exclude_task: readonly string[];
  readonly label: readonly string[];
  readonly exclude_label: readonly string[];
  readonly since: Period | '';
  readonly q: string;
  readonly sort: string;
}

export function readSearch(search: Search): JobsSearch {
  const states = (value: Search[string]) =>
    listOf(value).filter((word): word is JobState => STATES.includes(word as JobState));
  const since = textOf(search.since);
  return {
    status: states(search.status),
    exclude_status: states(search.exclude_status),
    task: textOf(search.task),
    exclude_task: listOf(search.exclude_task),
    label: listOf(search.label),
    exclude_label: listOf(search.exclude_label),
    since: Object.hasOwn(PERIODS, since) ? (since as Period) : '',
    q: textOf(search.q),
    sort: textOf(search.sort),
  };
}

/** The filter as the service takes it. What is not asked for is left out. */
export function filterOf(search: JobsSearch): JobFilter {
  const [topic, task] = search.task.split('/');
  const many = <T>(list: readonly T[]) => (list.length === 0 ? undefined : list);
  return {
    status: many(search.status),
    exclude_status: many(search.exclude_status),
    topic: topic === '' ? undefined : topic,
    task,
    exclude_task: many(search.exclude_task),
    label: many(search.label),
    exclude_label: many(search.exclude_label),
    created_after:
      search.since === ''
        ? undefined
        : new Date(serviceNow() - PERIODS[search.since].seconds * 1_000).toISOString(),
    q: search.q === '' ? undefined : search.q,
  };
}

/** One condition of a filter, for people. */
export interface Chip {
  readonly name: 'status' | 'task' | 'label' | 'since' | 'q';
  readonly value: string;
  readonly excluded: boolean;
}

export function chipsOf(search: JobsSearch): Chip[] {
  const chips = (name: Chip['name'], values: readonly string[], excluded = false) =>
    values.map((value): Chip => ({ name, value, excluded }));
  return [
    ...chips('status', search.status),
    ...chips('status', search.exclude_status, true),
    ...chips('task', search.task === '' ? [] : [search.task]),
    ...chips('task', search.exclude_task, true),
    ...chips('label', search.label),
    ...chips('label', search.exclude_label, true),
    ...chips('since', search.since === '' ? [] : [search.since]),
    ...chips('q', search.q === '' ? [] : [search.q]),
  ];
}

/** The search with one condition more. A second task takes the place of the first: a job is of one. */
export function withChip(search: JobsSearch, { name, value, excluded }: Chip): JobsSearch {
  const without = withoutChip(search, { name, value, excluded: !excluded });
  switch (name) {
    case 'status': {
      const member = excluded ? 'exclude_status' : 'status';
      return { ...without, [member]: added(without[member], value) } as JobsSearch;
    }
    case 'task':
      return excluded
        ? { ...without, exclude_task: added(without.exclude_task, value) }
        : { ...without, task: value };
    case 'label': {
      const member = excluded ? 'exclude_label' : 'label';
      return { ...without, [member]: added(without[member], value) };
    }
    case 'since':
      return { ...search, since: value as Period };
    case 'q':
      return { ...search, q: value };
    default:
      return name satisfies never;
  }
}

export function withoutChip(search: JobsSearch, { name, value, excluded }: Chip): JobsSearch {
  const rest = <T extends string>(list: readonly T[]) => list.filter((each) => each !== value);
  switch (name) {
    case 'status':
      return excluded
        ? { ...search, exclude_status: rest(search.exclude_status) }
        : { ...search, status: rest(search.status) };
    case 'task':
      return excluded
        ? { ...search, exclude_task: rest(search.exclude_task) }
        : { ...search, task: search.task === value ? '' : search.task };
    case 'label':
      return excluded
        ? { ...search, exclude_label: rest(search.exclude_label) }
        : { ...search, label: rest(search.label) };
    case 'since':
      return { ...search, since: '' };
    case 'q':
      return { ...search, q: '' };
    default:
      return name satisfies never;
  }
}

const added = (list: readonly string[], value: string): string[] =>
  list.includes(value) ? [...list] : [...list, value];

/** Whether a job of that state would be shown. */
export const showsState = (search: JobsSearch, state: JobState): boolean =>
  (search.status.length === 0 || search.status.includes(state)) &&
  !search.exclude_status.includes(state);

/** What somebody typed into the one box: a condition where it names one, else words to look for. */
export function readTyped(text: string, tasks: readonly string[]): Chip {
  const typed = text.trim();
  const task = tasks.find((key) => key === typed || key.split('/')[1] === typed);
  if (task !== undefined) return { name: 'task', value: task, excluded: false };
  const isLabel = /^[\w.-]{1,63}:\S.*$/.test(typed);
  return { name: isLabel ? 'label' : 'q', value: typed, excluded: false };
}
