import type { z } from 'zod';
import { parseIJson } from '../../platform/http/body/i-json.js';
import { invalidParamsOf } from '../../platform/http/problem/invalid-params.js';
import { Problem } from '../../platform/http/problem/problem.js';
import type { JobFilter } from '../list/search/job-filter.js';
import { jobFilterOf } from '../list/search/job-filter.schema.js';
import { SELECTION } from './selection.schema.js';

/** Which jobs an act is about, and whether it only counts them. */
export interface Selection {
  readonly jobs: { readonly ids: readonly string[] } | { readonly filter: JobFilter };
  readonly dryRun: boolean;
  /** As it was sent, for the audit log. */
  readonly sent: z.output<typeof SELECTION>['filter'] | null;
}

/** @throws Problem `malformed-request` or `invalid-parameters` */
export function selectionIn(bytes: Buffer): Selection {
  const body = parseIJson(bytes);
  const { data, error } = SELECTION.safeParse(body);
  if (data === undefined) {
    // Without the name of a root: the members are the body's own.
    const wrong = invalidParamsOf(error, 'body').map(({ name, reason }) => ({
      name: name.replace(/^body\.?/, ''),
      reason,
    }));
    throw new Problem(
      'invalid-parameters',
      `${wrong[0]?.name || 'The body'}: ${wrong[0]?.reason}.`,
      { invalidParams: wrong },
    );
  }
  const { ids, filter = {}, dry_run: dryRun = false } = data;
  return ids === undefined
    ? {
        jobs: { filter: jobFilterOf(filter) },
        dryRun,
        sent: (body as { filter: typeof filter }).filter,
      }
    : { jobs: { ids: [...new Set(ids)] }, dryRun, sent: null };
}
