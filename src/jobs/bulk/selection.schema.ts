import { z } from 'zod';
import { COUNT } from '../../platform/http/openapi/body.js';
import { takesAll } from '../list/search/job-filter.js';
import { contradictionOf, FILTER_BODY, jobFilterOf } from '../list/search/job-filter.schema.js';

/** How many ids one request may name, and how many jobs it may change. */
export const MAX_IDS = 1_000;
export const MAX_CHANGED = 10_000;

/** Which jobs an act is about: by their ids, or by a filter that says something. */
export const SELECTION = z
  .strictObject(
    {
      ids: z
        .array(z.guid('must be a UUID').toLowerCase(), { error: 'must be an array of job ids' })
        .min(1, 'must name at least one job')
        .max(MAX_IDS, `must name at most ${MAX_IDS} jobs: use a filter for more`)
        .optional(),
      filter: FILTER_BODY.optional(),
      dry_run: z.boolean({ error: 'must be true or false' }).optional().describe('Only count.'),
    },
    { error: 'must be an object like {"ids": []} or {"filter": {}}' },
  )
  .superRefine(({ ids, filter }, context) => {
    if ((ids === undefined) === (filter === undefined)) {
      context.addIssue({ code: 'custom', path: ['ids'], message: 'must be given, or else filter' });
    }
    if (filter !== undefined) {
      const contradiction = contradictionOf(filter);
      if (contradiction !== null) {
        const path = ['filter', contradiction.name];
        context.addIssue({ code: 'custom', path, message: contradiction.reason });
      } else if (takesAll(jobFilterOf(filter))) {
        const message = 'must narrow the jobs down: an empty filter would take them all';
        context.addIssue({ code: 'custom', path: ['filter'], message });
      }
    }
  });

/** The body of the answer to an act on many jobs. */
export const BULK_ANSWER = z
  .strictObject({
    matched: COUNT.describe('Selected jobs that the act is for; at most 10,000.'),
    changed: COUNT.describe('Of these, how many it changed.'),
    more: z.boolean().describe('Whether there are more: ask again.'),
  })
  .meta({ id: 'BulkAnswer' });
