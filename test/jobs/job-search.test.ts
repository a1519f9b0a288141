import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { JOB_STATUSES, type JobStatus } from '../../src/jobs/job/job-status.js';
import { ANY_JOB, idPrefixOf, type JobFilter } from '../../src/jobs/list/search/job-filter.js';
import { JobSearch } from '../../src/jobs/list/search/job-search.js';
import { Engine } from '../support/jobs.js';

/** A job as the test knows it. */
interface Known {
  readonly id: string;
  readonly topic: string;
  readonly task: string;
  readonly status: JobStatus;
  readonly labels: Readonly<Record<string, string>>;
  readonly createdAt: Date;
  readonly endedAt: Date | null;
  readonly title: string | null;
}

const JOBS = 1_200;
const TASKS = [
  ['diagnostics', 'sleep'],
  ['diagnostics', 'spin'],
  ['geostatistics', 'kriging'],
] as const;
const SEED = 20261127;

describe('a search for jobs', () => {
  const orgId = randomUUID();
  let engine: Engine;
  let search: JobSearch;
  let known: Known[];

  beforeAll(async () => {
    engine = await Engine.open();
    search = new JobSearch(engine.database);
    await fill(engine, orgId, JOBS);
    await fill(engine, randomUUID(), 50);
    known = await knownJobs(engine, orgId);
  });
  afterAll(() => engine.close());

  const find = (filter: JobFilter, before: string | null, most: number, examine = 20_000) =>
    search.find<{ id: string }>(orgId, filter, { before, most, examine, columns: 's.topic' });

  it('finds what each filter takes, newest first, in pages of any size', async () => {
    await fc.assert(
      fc.asyncProperty(
        filters(() => known),
        fc.integer({ min: 1, max: 200 }),
        fc.constantFrom(20_000, 600),
        async (filter, most, examine) => {
          const expected = known.filter((job) => takes(filter, job)).map(({ id }) => id);
          const found: string[] = [];
          for (let before: string | null = null; ;) {
            const { jobs, next } = await find(filter, before, most, examine);
            expect(jobs.length).toBeLessThanOrEqual(most);
            found.push(...jobs.map(({ id }) => id));
            if (next === null) {
              break;
            }
            before = next;
          }
          expect(found).toEqual(expected);
        },
      ),
      { numRuns: 150, seed: SEED },
    );
  });

  it('shows nothing of another organization, whatever the filter', async () => {
    const stranger = randomUUID();
    for (const statuses of [null, ...JOB_STATUSES.map((status) => [status])]) {
      const found = await search.find(
        stranger,
        { ...ANY_JOB, statuses },
        { before: null, most: 10, examine: 1_000, columns: 's.topic' },
      );
      expect(found).toEqual({ jobs: [], next: null });
    }
  });

  it('stays a list while jobs arrive and end: none twice, none of before left out', async () => {
    const before = (await knownJobs(engine, orgId)).map(({ id }) => id);
    const seen: string[] = [];
    for (let place: string | null = null; ;) {
      const { jobs, next } = await find(ANY_JOB, place, 100);
      seen.push(...jobs.map(({ id }) => id));
      await engine.submit(orgId);
      await engine.owner.query(
        `WITH gone AS (DELETE FROM job_queue WHERE job_id = (
           SELECT job_id FROM job_queue WHERE org_id = $1 ORDER BY job_id LIMIT 1) RETURNING *)
         INSERT INTO job_ends (job_id, org_id, status, attempt, failures, crashes, error)
         SELECT job_id, org_id, 'canceled', attempt, failures, crashes, '{"title":"x"}' FROM gone`,
        [orgId],
      );
      if (next === null) {
        break;
      }
      place = next;
    }
    expect(seen).toEqual(before);
  });
});

describe('what is looked for', () => {
  it.each([
    ['01a21be0', '01a21be0'],
    ['01A21BE0-66c0', '01a21be066c0'],
    ['01a21be0-66c0-7438-9263-2920b01a5800', '01a21be066c0743892632920b01a5800'],
    ['01a21be', null],
    ['kriging', null],
    ['01a21be0 x', null],
    ['01a21be0-66c0-7438-9263-2920b01a58001', null],
  ])('%s is an id or its beginning: %s', (text, prefix) => {
    expect(idPrefixOf(text)).toBe(prefix);
  });
});

/** Jobs of every state, with labels, ids and times of the last hundred days. */
async function fill(engine: Engine, orgId: string, count: number): Promise<void> {
  await engine.owner.query(
    `WITH job AS MATERIALIZED (
       SELECT number, (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7'
           || substr(md5(number::text || $1), 1, 3) || '8' || substr(md5($1 || number::text), 1, 15))::uuid AS id,
         at, (number * 7) % 8 AS state, number % 3 AS kind
       FROM generate_series(1, $2::int) AS number,
         LATERAL (SELECT date_trunc('milliseconds', now() - (number * 2) * interval '1 hour') AS at) AS made
     ), task AS (
       SELECT * FROM unnest($3::text[], $4::text[]) WITH ORDINALITY AS task(topic, task, kind)
     ), submitted AS (
       INSERT INTO job_submissions (id, org_id, topic, task, created_at, parameters, parameters_bytes, priority)
       SELECT id, $1::uuid, topic, task, at, '{}', 2, number % 5
       FROM job JOIN task ON task.kind = job.kind + 1
     ), queued AS (
       INSERT INTO job_queue (job_id, org_id, topic, task, urgency, run_after)
       SELECT id, $1::uuid, topic, task, -(number % 5), CASE WHEN state = 1 THEN now() + interval '1 day' END
       FROM job JOIN task ON task.kind = job.kind + 1 WHERE state IN (0, 1)
     ), leased AS (
       INSERT INTO job_leases (job_id, lease_id, worker_id, org_id, topic, task, attempt, failures, crashes, canceling)
       SELECT id, gen_random_uuid(), gen_random_uuid(), $1::uuid, topic, task, 1, 0, 0, state = 3
       FROM job JOIN task ON task.kind = job.kind + 1 WHERE state IN (2, 3)
     ), ended AS (
       INSERT INTO job_ends (job_id, org_id, status, ended_at, attempt, failures, crashes, error)
       SELECT id, $1::uuid, CASE state WHEN 4 THEN 'failed' WHEN 5 THEN 'canceled' ELSE 'succeeded' END,
         least(at + (number % 50) * interval '1 hour', now()), 1, 0, 0,
         CASE WHEN state = 4 THEN json_build_object('title', 'Singular system ' || number % 4)
           WHEN state = 5 THEN '{"title":"The job was canceled."}'::json END
       FROM job WHERE state > 3
     )
     INSERT INTO job_labels (job_id, org_id, name, value)
     SELECT id, $1::uuid, 'project', 'Meuse ' || number % 7 FROM job WHERE number % 2 = 0
     UNION ALL SELECT id, $1::uuid, 'run', number::text FROM job WHERE number % 5 = 0`,
    [orgId, count, TASKS.map(([topic]) => topic), TASKS.map(([, task]) => task)],
  );
}

/** All jobs of an organization by the view, newest first: read another way than by the search. */
async function knownJobs(engine: Engine, orgId: string): Promise<Known[]> {
  const { rows } = await engine.owner.query<Known>(
    `SELECT id, topic, task, status, created_at AS "createdAt", ended_at AS "endedAt", error->>'title' AS title,
       coalesce((SELECT json_object_agg(name, value) FROM job_labels WHERE job_id = jobs.id), '{}') AS labels
     FROM jobs WHERE org_id = $1 ORDER BY id DESC`,
    [orgId],
  );
  return rows;
}

/** What a filter says, in plain words. */
function takes(filter: JobFilter, job: Known): boolean {
  const texts = [...Object.values(job.labels), job.title ?? ''].map((text) => text.toLowerCase());
  return (
    (filter.statuses?.includes(job.status) ?? true) &&
    (filter.topic === null || filter.topic === job.topic) &&
    (filter.task === null || filter.task === job.task) &&
    filter.labels.every(([name, value]) => job.labels[name] === value) &&
    !filter.excludedLabels.some(([name, value]) => job.labels[name] === value) &&
    !filter.excludedTasks.some(([topic, task]) => topic === job.topic && task === job.task) &&
    (filter.createdAfter === null || job.createdAt >= filter.createdAfter) &&
    (filter.createdBefore === null || job.createdAt < filter.createdBefore) &&
    (filter.endedAfter === null || (job.endedAt !== null && job.endedAt >= filter.endedAfter)) &&
    (filter.endedBefore === null || (job.endedAt !== null && job.endedAt < filter.endedBefore)) &&
    (filter.idPrefix === null || job.id.replaceAll('-', '').startsWith(filter.idPrefix)) &&
    filter.words.every((word) => texts.some((text) => text.includes(word)))
  );
}

function filters(known: () => readonly Known[]): fc.Arbitrary<JobFilter> {
  const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | null> =>
    fc.option(value, { freq: 3, nil: null });
  const few = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T[]> =>
    fc.oneof(
      { weight: 4, arbitrary: fc.constant([] as T[]) },
      { weight: 1, arbitrary: fc.array(value, { minLength: 1, maxLength: 2 }) },
    );
  const moment = fc
    .integer({ min: 0, max: 110 * 24 })
    .map((hours) => new Date(Date.now() - hours * 3_600_000));
  const label = fc.oneof(
    fc.integer({ min: 0, max: 8 }).map((number) => ['project', `Meuse ${number}`] as const),
    fc.integer({ min: 1, max: JOBS }).map((number) => ['run', `${number}`] as const),
  );
  return fc
    .record({
      statuses: maybe(fc.uniqueArray(fc.constantFrom(...JOB_STATUSES), { minLength: 0 })),
      address: maybe(fc.constantFrom(...TASKS)),
      topicOnly: fc.boolean(),
      labels: few(label),
      excludedLabels: few(label),
      excludedTasks: few(fc.constantFrom(...TASKS)),
      createdAfter: maybe(moment),
      createdBefore: maybe(moment),
      endedAfter: maybe(moment),
      endedBefore: maybe(moment),
      prefixOf: fc.option(fc.tuple(fc.nat(JOBS - 1), fc.integer({ min: 8, max: 32 })), {
        freq: 8,
        nil: null,
      }),
      words: few(fc.constantFrom('meuse', 'singular', 'system 2', 'canceled', '77', 'nowhere')),
    })
    .map(({ address, topicOnly, prefixOf, ...rest }) => ({
      ...rest,
      topic: address?.[0] ?? null,
      task: topicOnly ? null : (address?.[1] ?? null),
      idPrefix:
        prefixOf === null
          ? null
          : (known()[prefixOf[0]]?.id.replaceAll('-', '').slice(0, prefixOf[1]) ?? null),
      words: prefixOf === null ? rest.words : [],
    }));
}
