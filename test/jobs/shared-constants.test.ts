import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { MAX_CRASHES } from '../../src/jobs/job/job-transitions.js';
import type { OrganizationBucket } from '../../src/jobs/limits/organization-rates.js';
import { ADVISORY_LOCKS } from '../../src/platform/database/advisory-locks.js';
import { NIL_UUID } from '../../src/platform/ids/uuid.js';

const current = fileURLToPath(new URL('../../prisma/current/', import.meta.url));

const sql = (file: string): string => readFileSync(current + file, 'utf8');
/** What a pattern captures, wherever it stands in a text. */
const all = (pattern: RegExp, text: string): string[] =>
  [...text.matchAll(pattern)].map(([, captured]) => captured as string);
const files = readdirSync(current, { recursive: true, encoding: 'utf8' }).filter((file) =>
  file.endsWith('.sql'),
);

/** SQL has no way to import them: they stand in functions and indexes as literals. */
describe('constants that the SQL in force shares with the code', () => {
  it('are the keys of advisory locks, each in the function that the code says', () => {
    const found = files.flatMap((file) =>
      all(/advisory\w*\((\d+)/g, sql(file)).map((key) => [file, Number(key)]),
    );
    expect(found).toEqual([
      ['functions/claim_jobs.sql', ADVISORY_LOCKS.organization],
      ['functions/task_rooms.sql', ADVISORY_LOCKS.task],
    ]);
  });

  it('are advisory locks that never meet', () => {
    const keys = Object.values(ADVISORY_LOCKS);
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('are the crashes after which one more fails a job', () => {
    const lastChances = (file: string) => all(/\bcrashes (?:>=|<) (\d+)/g, sql(file)).map(Number);
    const claims = lastChances('functions/claim_jobs.sql');
    expect(claims).toHaveLength(4);
    const [index] = /^CREATE INDEX job_queue_last_chance .*$/m.exec(
      sql('tables/job_queue.sql'),
    ) ?? [''];
    const indexed = all(/crashes >= (\d+)/g, index).map(Number);
    expect(indexed).toHaveLength(1);
    expect(new Set([...claims, ...indexed])).toEqual(new Set([MAX_CRASHES - 1]));
  });

  it('are the buckets that organizations count their requests in', () => {
    const buckets: Record<OrganizationBucket, true> = {
      submits: true,
      cancels: true,
      polls: true,
      requests: true,
    };
    const known = all(/WHEN '(\w+)' THEN/g, sql('functions/rate_limit_of.sql'));
    expect(known.toSorted()).toEqual(Object.keys(buckets).toSorted());
  });

  it('is the organization whose limits hold for all that have none', () => {
    expect(all(/'([0-9a-f-]{36})'/g, sql('functions/effective_limits.sql'))).toEqual([NIL_UUID]);
  });
});
