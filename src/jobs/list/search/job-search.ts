import { Injectable } from '@nestjs/common';
import { Database } from '../../../platform/database/database.js';
import { type IdRange, idRangeOf } from './id-range.js';
import { candidatesFrom, isOfStates, type JobSource } from './job-candidates.js';
import { type JobFilter, takesAll } from './job-filter.js';
import { type SearchPart, searchStatement, WORDS_AMONG } from './search-statement.js';

/** What is asked for of the jobs that are found. */
export interface Search {
  /** Only jobs before this one; null: from the newest. */
  readonly before: string | null;
  /** How many to find. */
  readonly most: number;
  /** How many to look at, at most, where an index does not tell all that the filter says. */
  readonly examine: number;
  /** SQL of what to answer of each, over the tables that a job may be in. */
  readonly columns: string;
}

export interface Found<Row> {
  /** Newest first. */
  readonly jobs: readonly Row[];
  /** Where to go on looking: the jobs before this one were not looked at; null: there are no more. */
  readonly next: string | null;
}

type Raw = Record<string, unknown> & { readonly id: string | null };

interface Chunk {
  readonly jobs: readonly Raw[];
  /** How many were looked at, and the last of them. */
  readonly examined: number;
  readonly last: string | null;
}

/** Looked at first, then eight times as many, and so on: most filters are satisfied early. */
const FIRST_CHUNK = 500;
const GROWTH = 8;
/** A label that so many jobs have does not narrow a search. */
const FREQUENT_LABEL = 2_000;
/** So many ends in the time of a filter are sorted, over all organizations; more are walked through. */
const ENDED_AT_ONCE = 200_000;

/**
 * Finds the jobs of an organization that a filter takes, newest first. It walks the index that tells most of
 * the filter, looks at the jobs there, and stops when it has found or looked at as many as it may: no search
 * costs more than that, and one that found too few says where to go on.
 */
@Injectable()
export class JobSearch {
  constructor(private readonly database: Database) {}

  async find<Row>(orgId: string, filter: JobFilter, search: Search): Promise<Found<Row>> {
    if (filter.statuses?.length === 0) {
      return { jobs: [], next: null };
    }
    const found =
      filter.words.length > 0
        ? await this.amongWords(orgId, filter, search)
        : await this.walk(orgId, filter, search);
    return found as Found<Row>;
  }

  private async walk(orgId: string, filter: JobFilter, search: Search): Promise<Found<Raw>> {
    let source = await this.sourceOf(orgId, filter);
    let chunk = tellsAll(source, filter) ? search.most + 1 : Math.max(FIRST_CHUNK, search.most + 1);
    const jobs: Raw[] = [];
    let { before } = search;
    for (let examined = 0; ;) {
      const looked = await this.look(orgId, filter, source, idRangeOf(filter, before), {
        ...search,
        chunk,
        missing: search.most + 1 - jobs.length,
      });
      jobs.push(...looked.jobs);
      examined += looked.examined;
      if (jobs.length > search.most) {
        const page = jobs.slice(0, search.most);
        return { jobs: page, next: page.at(-1)?.id ?? null };
      }
      if (looked.examined < chunk) {
        return { jobs, next: null };
      }
      before = looked.last;
      if (examined >= search.examine) {
        return { jobs, next: before };
      }
      if (
        source !== 'ended' &&
        filter.endedAfter !== null &&
        examined > FIRST_CHUNK * GROWTH &&
        (await this.fewEnded(orgId, filter))
      ) {
        source = 'ended';
      }
      chunk = Math.min(chunk * GROWTH, Math.max(search.examine - examined, search.most + 1));
    }
  }

  /** Always from the newest, so that all pages are of the same jobs. */
  private async amongWords(orgId: string, filter: JobFilter, search: Search): Promise<Found<Raw>> {
    const source = await this.sourceOf(orgId, filter);
    const all = tellsAll(source, filter) ? WORDS_AMONG : 2 * WORDS_AMONG;
    for (let chunk = FIRST_CHUNK; ; chunk = all) {
      const { jobs, examined } = await this.look(orgId, filter, source, idRangeOf(filter, null), {
        ...search,
        chunk,
        missing: search.most + 1,
      });
      const page = jobs.slice(0, search.most);
      if (jobs.length > search.most) {
        return { jobs: page, next: page.at(-1)?.id ?? null };
      }
      if (chunk === all || examined < chunk) {
        return { jobs: page, next: null };
      }
    }
  }

  /** Looks at the next jobs of a source. */
  private async look(
    orgId: string,
    filter: JobFilter,
    source: JobSource,
    range: IdRange,
    part: SearchPart,
  ): Promise<Chunk> {
    const { rows } = await this.database.queryFor<Raw & { examined: number; last: string }>(
      [orgId],
      searchStatement(
        orgId,
        untold(source, filter),
        candidatesFrom(source, orgId, filter, range),
        part,
      ),
      // The block ranges of times of ending are in no order.
      { plan: source === 'ended' ? 'by index' : 'in order' },
    );
    const [first] = rows;
    return {
      jobs: rows.filter(({ id }) => id !== null),
      examined: first?.examined ?? 0,
      last: first?.last ?? null,
    };
  }

  private async sourceOf(orgId: string, filter: JobFilter): Promise<JobSource> {
    const other: JobSource = isOfStates(filter) ? 'states' : 'tasks';
    const [label] = filter.labels;
    if (label === undefined || filter.idPrefix !== null) {
      return filter.idPrefix === null ? other : 'tasks';
    }
    const [name, value] = label;
    const { rows } = await this.database.queryFor<{ frequent: boolean }>([orgId], {
      name: 'count-label',
      text: `SELECT count(*) >= ${FREQUENT_LABEL} AS frequent FROM (
          SELECT 1 FROM job_labels WHERE org_id = $1 AND name = $2 AND value = $3 LIMIT ${FREQUENT_LABEL}) AS few`,
      values: [orgId, name, value],
    });
    const isNarrow = rows[0]?.frequent !== true;
    return isNarrow || (other === 'tasks' && filter.task === null) ? 'label' : other;
  }

  private async fewEnded(orgId: string, { endedAfter, endedBefore }: JobFilter): Promise<boolean> {
    const { rows } = await this.database.queryFor<{ few: boolean }>(
      [orgId],
      {
        text: `SELECT count(*) <= ${ENDED_AT_ONCE} AS few FROM (
          SELECT 1 FROM job_ends WHERE ended_at >= $1 AND ended_at < coalesce($2, 'infinity'::timestamptz)
          LIMIT ${ENDED_AT_ONCE} + 1) AS few`,
        values: [endedAfter, endedBefore],
      },
      { plan: 'by index' },
    );
    return rows[0]?.few === true;
  }
}

/** What a source does not tell of a filter: it is asked of each job. */
function untold(source: JobSource, filter: JobFilter): JobFilter {
  // Of ends it does not know the task.
  const hasEnds = filter.statuses?.some((status) => status === 'failed' || status === 'canceled');
  const told: Partial<JobFilter> = {
    tasks: { topic: null, task: null },
    states: { statuses: null, ...(hasEnds !== true && { topic: null, task: null }) },
    label: { labels: filter.labels.slice(1) },
    ended: {},
  }[source];
  return { ...filter, idPrefix: null, ...told };
}

/** Whether each job that a source tells of is one of the filter, but for its words. */
const tellsAll = (source: JobSource, filter: JobFilter): boolean =>
  takesAll({ ...untold(source, filter), words: [] });
