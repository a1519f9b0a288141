import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { queryFor, scopeOf } from '../../src/platform/database/request-scope.js';
import { sessionOf } from '../../src/platform/database/session.js';
import type { JobKey } from '../../src/jobs/job/job.js';
import { Engine } from '../support/jobs.js';

const PATIENCE = { statementMs: 5_000, answerMs: 7_000, connectMs: 5_000 };

/** The third lock, with raw SQL: nothing of what the stores write into their statements helps here. */
describe('the role of requests', () => {
  let engine: Engine;
  let mine: JobKey;
  let theirs: JobKey;

  /** Every table that holds something of an organization, as the database itself tells. */
  let tables: string[];

  beforeAll(async () => {
    engine = await Engine.open();
    const { rows } = await engine.owner.query<{ table_name: string }>(
      `SELECT table_name FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
       WHERE column_name = 'org_id' AND table_schema = 'public' AND table_type = 'BASE TABLE' ORDER BY 1`,
    );
    tables = rows.map(({ table_name }) => table_name);
    [mine, theirs] = [await jobWithEverything(), await jobWithEverything()];
  });
  afterAll(() => engine?.close());

  /** A job with a row in every table. */
  async function jobWithEverything(): Promise<JobKey> {
    const workerId = await engine.register();
    const key = await engine.submit(randomUUID(), 2, { labels: { name: 'canary' } });
    const failed = await engine.claimFor(workerId, key);
    const problem = { status: 500, type: 'urn:test', title: 'Broken.', detail: 'canary' };
    await engine.leases.fail({ ...failed, problem, retryable: true });
    await engine.owner.query('UPDATE job_queue SET run_after = NULL');
    const lease = await engine.claimFor(workerId, key);
    await engine.owner.query(
      `INSERT INTO job_logs (job_id, attempt, number, org_id, text) VALUES ($1, 1, 1, $2, 'canary')`,
      [key.jobId, key.orgId],
    );
    await engine.leases.succeed({ ...lease, results: '{"canary":1}', message: null });
    await engine.limits.setOrganization(key.orgId, { weight: 2 });
    return key;
  }

  const ask = (sql: string, organizations: readonly string[] = [mine.orgId]) =>
    queryFor(engine.database.requests, organizations, { text: sql });
  const mayRead = async (table: string) => {
    const { rows } = await engine.owner.query<{ may: boolean }>(
      `SELECT has_any_column_privilege('headframe_api', $1, 'SELECT') AS may`,
      [table],
    );
    return rows[0]?.may === true;
  };

  it('finds row-level security forced on every table with an organization', async () => {
    const { rows } = await engine.owner.query<{ relname: string }>(
      `SELECT relname FROM pg_class WHERE relname = ANY ($1) AND relkind = 'r'
         AND relrowsecurity AND relforcerowsecurity ORDER BY 1`,
      [tables],
    );
    expect(rows.map(({ relname }) => relname)).toEqual(tables);
    expect(tables).toEqual(expect.arrayContaining(['job_submissions', 'job_ends', 'job_logs']));
  });

  it('sees of each table its organization’s rows, and no other’s, whatever is asked', async () => {
    for (const table of tables) {
      if (!(await mayRead(table))) {
        await expect(ask(`SELECT 1 FROM ${table}`)).rejects.toMatchObject({ code: '42501' });
        continue;
      }
      const { rows } = await ask(`SELECT DISTINCT org_id FROM ${table}`);
      const seen = rows.map((row) => row.org_id);
      expect({ table, seen }).toEqual({ table, seen: seen.filter((id) => id === mine.orgId) });
      const other = await ask(`SELECT 1 FROM ${table} WHERE org_id = '${theirs.orgId}'`);
      expect({ table, found: other.rowCount }).toEqual({ table, found: 0 });
    }
    expect((await ask('SELECT 1 FROM job_ends')).rowCount).toBe(1);
    expect((await ask(`SELECT 1 FROM jobs WHERE id = '${theirs.jobId}'`)).rowCount).toBe(0);
  });

  it('sees no more through Prisma, and nothing when no organization is named', async () => {
    const ids = (rows: readonly { orgId: string }[]) => [
      ...new Set(rows.map(({ orgId }) => orgId)),
    ];
    const [jobs, attempts, labels, entries, limits] = await engine.database.prismaFor(
      [mine.orgId],
      (prisma) => [
        prisma.job.findMany(),
        prisma.jobAttempt.findMany(),
        prisma.jobLabel.findMany(),
        prisma.auditEntry.findMany(),
        prisma.organizationLimits.findMany(),
      ],
    );
    for (const rows of [jobs, attempts, labels, entries, limits]) {
      expect(ids(rows)).toEqual([mine.orgId]);
    }
    expect(await engine.database.prisma.job.findMany()).toEqual([]);
    await expect(
      engine.database.prismaFor([''], (prisma) => [prisma.job.findMany()]),
    ).rejects.toThrow(TypeError);
  });

  it('sees the rows of several organizations when a statement serves several', async () => {
    const { rowCount } = await ask('SELECT 1 FROM jobs', [mine.orgId, theirs.orgId, mine.orgId]);
    expect(rowCount).toBe(2);
  });

  it('sees no more through Prisma, where nothing says which organization is meant', async () => {
    const { database } = engine;
    const [jobs, labels, limits, entries] = await database.prismaFor([mine.orgId], (prisma) => [
      prisma.job.findMany(),
      prisma.jobLabel.findMany(),
      prisma.organizationLimits.findMany(),
      prisma.auditEntry.findMany(),
    ]);
    const seen = [jobs, labels, limits, entries].map((rows) => [
      ...new Set(rows.map(({ orgId }) => orgId)),
    ]);
    expect(seen).toEqual([[mine.orgId], [mine.orgId], [mine.orgId], [mine.orgId]]);
    // The next transaction of the same connections names nobody.
    expect(await database.prisma.job.findMany()).toEqual([]);
  });

  it('sees nothing when no organization is named, or no longer', async () => {
    const nothing = async () =>
      (await engine.database.requests.query('SELECT 1 FROM jobs')).rowCount === 0;
    expect(await nothing()).toBe(true);
    await ask('SELECT 1 FROM jobs');
    await expect(ask('SELECT 1/0')).rejects.toMatchObject({ code: '22012' });
    await Promise.all(Array.from({ length: 20 }, async () => expect(await nothing()).toBe(true)));
  });

  it('cannot write for another organization, nor take a job into its own', async () => {
    const [running, other] = [await engine.jobIn('in progress'), await engine.jobIn('requested')];
    const own = running.key.orgId;
    const cancel = (organizations: readonly string[]) =>
      ask(
        `UPDATE job_leases SET canceling = true WHERE job_id = '${running.key.jobId}'`,
        organizations,
      );
    expect((await cancel([mine.orgId])).rowCount).toBe(0);
    expect((await cancel([own])).rowCount).toBe(1);
    const { jobId } = other.key;
    expect((await ask(`DELETE FROM job_queue WHERE job_id = '${jobId}'`, [own])).rowCount).toBe(0);
    for (const sql of [
      `UPDATE job_leases SET org_id = '${theirs.orgId}'`,
      `UPDATE job_queue SET run_after = NULL`,
      `UPDATE job_ends SET error = '{}'`,
      `UPDATE job_submissions SET org_id = '${theirs.orgId}'`,
      `INSERT INTO job_submissions (id, org_id, topic, task) VALUES (gen_random_uuid(), '${theirs.orgId}', 'a', 'b')`,
      `INSERT INTO job_queue (job_id, org_id, topic, task) VALUES (gen_random_uuid(), '${theirs.orgId}', 'a', 'b')`,
      `INSERT INTO job_ends (job_id, org_id, status, attempt, failures, crashes, error)
       VALUES (gen_random_uuid(), '${theirs.orgId}', 'canceled', 0, 0, 0, '{}')`,
    ]) {
      await expect(ask(sql, [own]), sql).rejects.toMatchObject({ code: '42501' });
    }
  });

  it('ends a job in no other way than by a cancel', async () => {
    const end = (status: string, error: string) =>
      ask(`INSERT INTO job_ends (job_id, org_id, status, attempt, failures, crashes, error)
           VALUES (gen_random_uuid(), '${mine.orgId}', '${status}', 0, 0, 0, ${error})`);
    await expect(end('succeeded', 'NULL')).rejects.toMatchObject({ code: '42501' });
    await expect(end('failed', `'{}'`)).rejects.toMatchObject({ code: '42501' });
  });

  it('sets of a new row only what a submit sets', async () => {
    const job = `gen_random_uuid(), '${mine.orgId}', 'a', 'b'`;
    for (const [table, id, column, value] of [
      ['job_submissions', 'id', 'created_at', 'now()'],
      ['job_queue', 'job_id', 'attempt', '7'],
      ['job_queue', 'job_id', 'crashes', '2'],
      ['job_queue', 'job_id', 'worker_id', 'gen_random_uuid()'],
      ['job_leases', 'job_id', 'progress', '50'],
      ['job_leases', 'job_id', 'started_at', 'now()'],
    ]) {
      await expect(
        ask(
          `INSERT INTO ${table} (${id}, org_id, topic, task, ${column}) VALUES (${job}, ${value})`,
        ),
        column,
      ).rejects.toMatchObject({ code: '42501' });
    }
    await expect(
      ask(
        `INSERT INTO audit_log (org_id, id, action, at) VALUES ('${mine.orgId}', gen_random_uuid(), 'job.submit', now())`,
      ),
    ).rejects.toMatchObject({ code: '42501' });
  });

  it('cannot truncate, or do what workers and operators do', async () => {
    for (const sql of [
      'DELETE FROM organization_usage',
      'TRUNCATE job_submissions',
      'UPDATE job_submissions SET parameters = NULL',
      'SELECT 1 FROM workers',
      `UPDATE job_leases SET lease_id = gen_random_uuid()`,
      'DELETE FROM job_leases',
      `SELECT claim_jobs(gen_random_uuid(), '{a}', '{b}', 1, gen_random_uuid(), 0, 0)`,
      `UPDATE organization_limits SET weight = 1000`,
    ]) {
      await expect(ask(sql), sql).rejects.toMatchObject({ code: '42501' });
    }
  });

  it('keeps requests apart that share connections', async () => {
    const keys = Array.from({ length: 200 }, (_, index) => (index % 2 === 0 ? mine : theirs));
    const seen = await Promise.all(
      keys.map(async ({ orgId }) => (await ask('SELECT org_id FROM jobs', [orgId])).rows),
    );
    expect(seen).toEqual(keys.map(({ orgId }) => [{ org_id: orgId }]));
  });

  it('undoes a statement that failed, and tells of it', async () => {
    const id = randomUUID();
    await expect(
      ask(
        `WITH added AS (INSERT INTO job_submissions (id, org_id, topic, task) VALUES ('${id}', '${mine.orgId}', 'a', 'b') RETURNING 1)
         SELECT 1 / (SELECT 0 FROM added)`,
      ),
    ).rejects.toMatchObject({ code: '22012' });
    expect(await engine.row(id)).toBeUndefined();
  });

  it.each([[[]], [['']], [["' OR true"]], [[randomUUID().toUpperCase()]], [['*']]])(
    'refuses the organizations %j',
    (organizations) => {
      expect(() => scopeOf(organizations)).toThrow(TypeError);
    },
  );

  it('is all that a login of its own can be: it cannot take another, nor see anything without', async () => {
    const name = `login_${randomUUID().replaceAll('-', '')}`;
    await engine.owner.query(`CREATE ROLE ${name} LOGIN NOINHERIT PASSWORD 'x'`);
    await engine.owner.query(`GRANT headframe_api TO ${name}`);
    const url = new URL(engine.url);
    [url.username, url.password] = [name, 'x'];
    const client = new pg.Client(sessionOf(url.href, 'headframe_api', PATIENCE));
    await client.connect();
    try {
      await expect(client.query('SET ROLE headframe_worker')).rejects.toMatchObject({
        code: '42501',
      });
      await client.query('RESET ROLE; SET ROLE NONE');
      await expect(client.query('SELECT 1 FROM jobs')).rejects.toMatchObject({ code: '42501' });
    } finally {
      await client.end();
      await engine.owner.query(`DROP OWNED BY ${name}; DROP ROLE ${name}`);
    }
  });
});
