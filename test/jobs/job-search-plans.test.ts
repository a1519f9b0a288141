import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ANY_JOB, type JobFilter } from '../../src/jobs/list/search/job-filter.js';
import { candidatesFrom, type JobSource } from '../../src/jobs/list/search/job-candidates.js';
import { idRangeOf } from '../../src/jobs/list/search/id-range.js';
import { searchStatement } from '../../src/jobs/list/search/search-statement.js';
import { PLANS, scopeOf } from '../../src/platform/database/request-scope.js';
import { Engine } from '../support/jobs.js';

/** A node of a plan. */
interface Node {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly 'Index Name'?: string;
  readonly 'Shared Hit Blocks': number;
  readonly 'Shared Read Blocks': number;
  readonly Plans?: readonly Node[];
}

const JOBS = 60_000;
const PAGE = 51;
/** How many tasks the organization has: a list of all merges the newest of each. */
const TASKS = 4;

describe('the plan of a search', () => {
  const orgId = randomUUID();
  let engine: Engine;

  beforeAll(async () => {
    engine = await Engine.open();
    await fill(engine, orgId);
  });
  afterAll(() => engine.close());

  const plan = async (source: JobSource, filter: JobFilter, chunk: number): Promise<Node> => {
    const { text, values } = searchStatement(
      orgId,
      filter,
      candidatesFrom(source, orgId, filter, idRangeOf(filter, null)),
      { chunk, missing: PAGE, columns: 's.topic', before: null },
    );
    const connection = await engine.database.requests.connect();
    try {
      await connection.query(
        `BEGIN; ${PLANS[source === 'ended' ? 'by index' : 'in order']} ${scopeOf([orgId])}`,
      );
      const { rows } = await connection.query(
        `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${text}`,
        values,
      );
      return rows[0]['QUERY PLAN'][0].Plan;
    } finally {
      await connection.query('ROLLBACK');
      connection.release();
    }
  };
  const nodes = (node: Node): Node[] => [node, ...(node.Plans ?? []).flatMap(nodes)];

  const day = (days: number) => new Date(Date.now() - days * 86_400_000);
  const cases: [string, JobSource, Partial<JobFilter>, number][] = [
    ['of all jobs', 'tasks', {}, PAGE],
    ['of a topic', 'tasks', { topic: 'geostatistics' }, PAGE],
    ['of a task', 'tasks', { topic: 'geostatistics', task: 'task-1' }, PAGE],
    ['of what waits', 'states', { statuses: ['requested'] }, PAGE],
    ['of what runs', 'states', { statuses: ['in progress'] }, PAGE],
    ['of what is being canceled', 'states', { statuses: ['canceling'] }, PAGE],
    ['of failures', 'states', { statuses: ['failed'] }, PAGE],
    ['of what was canceled', 'states', { statuses: ['canceled'] }, PAGE],
    ['of successes', 'tasks', { statuses: ['succeeded'] }, 500],
    ['of a label', 'label', { labels: [['run', '7']] }, PAGE],
    ['of what is not labeled so', 'tasks', { excludedLabels: [['run', '7']] }, 500],
    ['of other tasks', 'tasks', { excludedTasks: [['geostatistics', 'task-1']] }, 500],
    ['of a day', 'tasks', { createdAfter: day(2), createdBefore: day(1) }, 500],
    ['of what ended in an hour', 'ended', { endedAfter: day(2), endedBefore: day(1.96) }, 500],
    ['of an id', 'tasks', { idPrefix: '01a21be066c0743892632920b01a5800' }, PAGE],
    [
      'of failures of a task',
      'states',
      { statuses: ['failed'], topic: 'geostatistics', task: 'task-1' },
      500,
    ],
    ['of failures with a label', 'label', { statuses: ['failed'], labels: [['run', '7']] }, 500],
    [
      'of what waits of a task',
      'states',
      { statuses: ['requested'], topic: 'geostatistics', task: 'task-1' },
      PAGE,
    ],
  ];

  it.each(cases)('%s reads no table whole and sorts no more than it looks at', async (...one) => {
    const [, source, filter, chunk] = one;
    const all = nodes(await plan(source, { ...ANY_JOB, ...filter }, chunk));
    const whole = all.filter((node) => node['Node Type'] === 'Seq Scan');
    // What runs is few, and read whole when that is cheaper.
    expect(whole.map((node) => node['Relation Name'])).toEqual(
      whole.map(() => expect.stringMatching(/^job_leases$/)),
    );
    for (const node of all.filter((each) => each['Relation Name'] !== 'job_leases')) {
      const read = node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0);
      expect(read * node['Actual Loops']).toBeLessThanOrEqual(chunk * TASKS * 5);
    }
    for (const scan of all.filter((each) => each['Node Type'].startsWith('Index'))) {
      const pages = scan['Shared Hit Blocks'] + scan['Shared Read Blocks'];
      const rows = scan['Actual Rows'] * scan['Actual Loops'];
      expect(pages, scan['Index Name']).toBeLessThanOrEqual(10 * scan['Actual Loops'] + 4 * rows);
    }
    const sorts = all.filter((node) => node['Node Type'] === 'Sort');
    const parts = TASKS * 2;
    for (const sort of sorts) {
      expect(sort['Actual Rows']).toBeLessThanOrEqual(chunk * parts);
    }
  });
});

/** Jobs of one organization and of many others: most have succeeded, some wait, run or failed. */
async function fill(engine: Engine, orgId: string): Promise<void> {
  await engine.owner.query(
    `WITH job AS MATERIALIZED (
       SELECT number, (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7'
           || substr(md5(number::text), 1, 3) || '8' || substr(md5(number::text || 'x'), 1, 15))::uuid AS id, at,
         CASE WHEN number % 2 = 0 THEN $1::uuid
           ELSE ('00000000-0000-4000-8000-' || lpad((number % 499)::text, 12, '0'))::uuid END AS org_id,
         'task-' || number % ${TASKS} AS task, number % 100 AS state
       FROM generate_series(1, ${JOBS}) AS number,
         LATERAL (SELECT now() - (${JOBS} - number) * interval '1 minute' AS at) AS made
     ), submitted AS (
       INSERT INTO job_submissions (id, org_id, topic, task, created_at, parameters, parameters_bytes)
       SELECT id, org_id, 'geostatistics', task, at, '{}', 2 FROM job
     ), queued AS (
       INSERT INTO job_queue (job_id, org_id, topic, task)
       SELECT id, org_id, 'geostatistics', task FROM job WHERE state < 8
     ), leased AS (
       INSERT INTO job_leases (job_id, lease_id, worker_id, org_id, topic, task, attempt, failures, crashes, canceling)
       SELECT id, gen_random_uuid(), gen_random_uuid(), org_id, 'geostatistics', task, 1, 0, 0, number % 200 = 8
       FROM job WHERE state = 8
     ), ended AS (
       INSERT INTO job_ends (job_id, org_id, status, ended_at, attempt, failures, crashes, error)
       SELECT id, org_id, CASE state WHEN 10 THEN 'failed' WHEN 12 THEN 'canceled' ELSE 'succeeded' END, at, 1, 0, 0,
         CASE WHEN state IN (10, 12) THEN '{"title":"Broken."}'::json END
       FROM job WHERE state > 8
     )
     INSERT INTO job_labels (job_id, org_id, name, value)
     SELECT id, org_id, 'run', (number % 300)::text FROM job WHERE number % 2 = 0`,
    [orgId],
  );
  await engine.owner.query(
    'VACUUM ANALYZE job_submissions, job_queue, job_leases, job_ends, job_labels',
  );
}
