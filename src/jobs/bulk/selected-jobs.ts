import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/database/database.js';
import { FINAL_STATUSES, JOB_STATUSES, type JobStatus } from '../job/job-status.js';
import { JOB_TABLES, STATUS_SQL } from '../list/search/job-tables.js';
import { JobSearch } from '../list/search/job-search.js';
import type { Selection } from './selection.js';
import { MAX_CHANGED } from './selection.schema.js';

/** A search for an act looks at so many jobs, where indexes do not tell all that the filter says. */
const EXAMINE = 100_000;

export const ENDED: readonly JobStatus[] = FINAL_STATUSES;
export const ONGOING: readonly JobStatus[] = JOB_STATUSES.filter(
  (status) => !(ENDED as readonly JobStatus[]).includes(status),
);

/** Finds the jobs that an act is about. */
@Injectable()
export class SelectedJobs {
  constructor(
    private readonly search: JobSearch,
    private readonly database: Database,
  ) {}

  /**
   * The selected jobs that are in one of some states: those that the act is for. So an act that is repeated
   * goes on where the one before stopped.
   * @param columns SQL of what to answer of each, beside its id
   * @returns newest first, at most {@link MAX_CHANGED}; `more`: whether there may be others
   */
  async find<Row extends { readonly id: string }>(
    orgId: string,
    { jobs }: Selection,
    states: readonly JobStatus[],
    columns: string,
  ): Promise<{ readonly jobs: readonly Row[]; readonly more: boolean }> {
    if ('ids' in jobs) {
      const { rows } = await this.database.queryFor<Row>([orgId], {
        text: `
          WITH candidate AS (SELECT unnest($1::uuid[]) AS id)
          SELECT s.id, ${columns} FROM candidate ${JOB_TABLES}
          WHERE s.org_id = $2 AND ${STATUS_SQL} = ANY ($3) ORDER BY s.id DESC`,
        values: [jobs.ids, orgId, states],
      });
      return { jobs: rows, more: false };
    }
    const { filter } = jobs;
    const statuses = states.filter((state) => filter.statuses?.includes(state) ?? true);
    const found = await this.search.find<Row>(
      orgId,
      { ...filter, statuses },
      { before: null, most: MAX_CHANGED, examine: EXAMINE, columns },
    );
    return { jobs: found.jobs, more: found.next !== null };
  }
}
