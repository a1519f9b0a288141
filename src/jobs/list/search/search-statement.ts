import { SqlValues } from '../../../platform/database/sql-values.js';
import type { CandidateQuery } from './job-candidates.js';
import { conditionsOf, wordsOf } from './job-conditions.js';
import type { JobFilter } from './job-filter.js';
import { JOB_TABLES, tablesIn } from './job-tables.js';

/** Words are looked for among so many of the newest that the rest of the filter leaves, of at most twice as many. */
export const WORDS_AMONG = 10_000;

/** A part of a search: one look. */
export interface SearchPart {
  /** How many candidates to look at. */
  readonly chunk: number;
  /** How many jobs to answer. */
  readonly missing: number;
  /** SQL of what to answer of each, over the tables that a job may be in. */
  readonly columns: string;
  /** Of a search for words: answer only jobs before this one; null: from the newest. */
  readonly before: string | null;
}

/**
 * The statement that looks at the next candidates and answers those that the filter takes, newest first.
 * Each row tells how many were looked at and which was the last; when none is taken there is one row, without
 * a job.
 * @param filter what the candidates are asked: less what is known of all that come from their source
 */
export function searchStatement(
  orgId: string,
  filter: JobFilter,
  candidates: CandidateQuery,
  { chunk, missing, columns, before }: SearchPart,
): { readonly text: string; readonly values: unknown[] } {
  const sql = new SqlValues();
  const candidate = candidates(sql, chunk);
  const conditions = conditionsOf(orgId, filter, sql);
  const words = wordsOf(filter, sql);
  const limit = sql.add(missing, 'int');
  const taken =
    words.length === 0
      ? taking(conditions, limit)
      : `SELECT id FROM (${takingWhether(conditions, words)}) AS remaining
         WHERE has_words ${before === null ? '' : `AND id < ${sql.add(before, 'uuid')}`}
         ORDER BY id DESC LIMIT ${limit}`;
  const text = `
    WITH candidate AS MATERIALIZED (${candidate}), taken AS MATERIALIZED (${taken})
    SELECT seen.examined, seen.last, found.*
    FROM (SELECT count(*)::int AS examined, (SELECT id FROM candidate ORDER BY id LIMIT 1) AS last
      FROM candidate) AS seen
    LEFT JOIN (SELECT s.id, ${columns} FROM taken AS candidate ${JOB_TABLES}) AS found ON true
    ORDER BY found.id DESC`;
  return { text, values: sql.values };
}

/** Those of the candidates for which all holds: only the tables that tell it are looked at. */
const taking = (conditions: readonly string[], limit: string): string => {
  const all = conditions.join('\n AND ');
  return `SELECT candidate.id FROM candidate ${tablesIn(all)} ${all && `WHERE ${all}`}
    ORDER BY candidate.id DESC LIMIT ${limit}`;
};

/** The newest of them, and whether each has all the words. */
const takingWhether = (conditions: readonly string[], words: readonly string[]): string => {
  const all = conditions.join('\n AND ');
  const said = words.join('\n AND ');
  return `SELECT candidate.id, ${said} AS has_words FROM candidate ${tablesIn(all + said)}
    ${all && `WHERE ${all}`} ORDER BY candidate.id DESC LIMIT ${WORDS_AMONG}`;
};
