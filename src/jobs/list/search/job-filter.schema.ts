import { z } from 'zod';
import { PATH_SEGMENT } from '../../job/job-address.js';
import { JOB_STATUSES, type JobStatus } from '../../job/job-status.js';
import { ANY_JOB, idPrefixOf, type JobFilter, type Label, type TaskAddress } from './job-filter.js';

/** Values that one repeatable member of a filter may have. */
const MAX_VALUES = 50;
const MAX_WORDS = 8;

const ONCE = { error: 'must be given once' };
const NAME = /^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}$/;

const plain = (text: string): boolean => text.isWellFormed() && !text.includes('\u0000');

/** A status in either spelling of the doubled l. */
const STATUS = z
  .string({ error: 'must be a string' })
  .transform((word) => word.replace('cancelli', 'canceli').replace('cancelled', 'canceled'))
  .pipe(z.enum(JOB_STATUSES, { error: `must be one of ${JOB_STATUSES.join(', ')}` }));

const SEGMENT = z.string(ONCE).regex(PATH_SEGMENT, 'must be a name like geostatistics');

const LABEL = z
  .string({ error: 'must be a string' })
  .refine(
    (text) => NAME.test(text.split(':', 1)[0] as string) && text.includes(':') && plain(text),
    'must be like project:meuse',
  )
  .refine((text) => text.length <= 128, 'must have at most 128 characters')
  .transform((text): Label => {
    const at = text.indexOf(':');
    return [text.slice(0, at), text.slice(at + 1)];
  });

const TASK = z
  .string({ error: 'must be a string' })
  .refine(
    (text) =>
      text.split('/').length === 2 && text.split('/').every((part) => PATH_SEGMENT.test(part)),
    'must be like geostatistics/kriging',
  )
  .transform((text) => text.split('/') as unknown as TaskAddress);

const MOMENT = z
  .string(ONCE)
  .pipe(
    z.iso.datetime({
      offset: true,
      error: 'must be a time with its offset, like 2026-01-31T12:00:00Z',
    }),
  )
  .transform((text) => new Date(text));

const WORDS = z
  .string(ONCE)
  .min(1, 'must not be empty')
  .max(256, 'must have at most 256 characters')
  .refine(plain, 'must be plain text')
  .refine(
    (text) => text.trim().split(/\s+/).length <= MAX_WORDS,
    `must have at most ${MAX_WORDS} words`,
  );

/** What a member that may be given more than once is, in a body; in a query one of it is no array. */
const many = <Value extends z.ZodType>(value: Value) =>
  z.array(value, { error: 'must be an array' }).max(MAX_VALUES, `at most ${MAX_VALUES} of it`);

const repeated = <Value extends z.ZodType>(value: Value) =>
  z.preprocess((given) => (typeof given === 'string' ? [given] : given), many(value));

const SINGLE = {
  topic: SEGMENT.optional(),
  task: SEGMENT.optional(),
  created_after: MOMENT.optional(),
  created_before: MOMENT.optional(),
  ended_after: MOMENT.optional(),
  ended_before: MOMENT.optional(),
  q: WORDS.optional(),
};

/** The members of a filter as a query spells them. */
export const FILTER_QUERY = {
  ...SINGLE,
  status: repeated(STATUS).optional(),
  label: repeated(LABEL).optional(),
  exclude_status: repeated(STATUS).optional(),
  exclude_label: repeated(LABEL).optional(),
  exclude_task: repeated(TASK).optional(),
};

/** A filter as a body spells it: an array where a query repeats. */
export const FILTER_BODY = z.strictObject({
  ...SINGLE,
  status: many(STATUS).optional(),
  label: many(LABEL).optional(),
  exclude_status: many(STATUS).optional(),
  exclude_label: many(LABEL).optional(),
  exclude_task: many(TASK).optional(),
});

export type FilterMembers = z.output<typeof FILTER_BODY>;

/** What is wrong with the members together: a name and a reason, or null. */
export function contradictionOf({
  task,
  topic,
}: FilterMembers): { readonly name: string; readonly reason: string } | null {
  return task !== undefined && topic === undefined
    ? { name: 'task', reason: 'needs the topic beside it' }
    : null;
}

/** @param members for which {@link contradictionOf} finds nothing */
export function jobFilterOf(members: FilterMembers): JobFilter {
  const idPrefix = members.q === undefined ? null : idPrefixOf(members.q.trim());
  return {
    ...ANY_JOB,
    statuses: statusesOf(members.status, members.exclude_status ?? []),
    topic: members.topic ?? null,
    task: members.task ?? null,
    labels: members.label ?? [],
    excludedLabels: members.exclude_label ?? [],
    excludedTasks: members.exclude_task ?? [],
    createdAfter: members.created_after ?? null,
    createdBefore: members.created_before ?? null,
    endedAfter: members.ended_after ?? null,
    endedBefore: members.ended_before ?? null,
    idPrefix,
    words:
      idPrefix === null && members.q !== undefined
        ? members.q.trim().toLowerCase().split(/\s+/).filter(Boolean)
        : [],
  };
}

function statusesOf(
  wanted: readonly JobStatus[] | undefined,
  excluded: readonly JobStatus[],
): readonly JobStatus[] | null {
  if ((wanted === undefined || wanted.length === 0) && excluded.length === 0) {
    return null;
  }
  return JOB_STATUSES.filter(
    (status) =>
      (wanted === undefined || wanted.length === 0 || wanted.includes(status)) &&
      !excluded.includes(status),
  );
}
