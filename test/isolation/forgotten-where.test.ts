import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PrismaClient } from '../../src/generated/prisma/client.js';
import { AuditStore } from '../../src/jobs/audit/audit.store.js';
import { JobLogsStore } from '../../src/jobs/logs/logs.store.js';
import type { JobKey } from '../../src/jobs/job/job.js';
import { EndStore } from '../../src/jobs/end/end.store.js';
import { JobDetailStore } from '../../src/jobs/read/detail/detail.store.js';
import { JobStateStore } from '../../src/jobs/read/job-state.store.js';
import { Database } from '../../src/platform/database/database.js';
import type { DatabaseRole } from '../../src/platform/database/session.js';
import { ACTOR, Engine } from '../support/jobs.js';

/** Where the statements of the stores name the organization, and what somebody forgot it would leave. */
const CONDITIONS: readonly [RegExp, string][] = [
  [/\bAND job\.org_id = asked\.org_id\b/g, ''],
  [/\bAND stored\.org_id = job\.org_id\b/g, ''],
  [/\bAND (?:job\.)?org_id = \$2\b/g, 'AND $2::uuid IS NOT NULL'],
  [/\bcancel_job\(/g, 'forgetful_cancel_job('],
];

/** The stores' own statements, without their condition on the organization. */
class ForgetfulDatabase extends Database {
  forgotten = 0;

  override queryFor<Row extends pg.QueryResultRow>(
    organizations: readonly string[],
    statement: pg.QueryConfig,
  ): Promise<pg.QueryResult<Row>> {
    const text = CONDITIONS.reduce((now, [find, left]) => now.replace(find, left), statement.text);
    this.forgotten += text === statement.text ? 0 : 1;
    return super.queryFor(organizations, { ...statement, text });
  }

  override get prisma(): PrismaClient {
    const forget = (args: { where?: object }): void => {
      const { orgId, ...where } = { orgId: undefined, ...args.where };
      this.forgotten += orgId === undefined ? 0 : 1;
      args.where = where;
    };
    return super.prisma.$extends({
      query: {
        $allModels: {
          $allOperations({ args, query }) {
            forget(args as { where?: object });
            return query(args);
          },
        },
      },
    }) as unknown as PrismaClient;
  }
}

const endsOf = (database: Database): EndStore => new EndStore(database);

/** The login's own right: a superuser's, for whom there is no row-level security. */
const NO_ROLE = 'none' as DatabaseRole;

describe('statements that forget the organization', () => {
  let engine: Engine;
  let theirs: JobKey;
  /** Their job's id under my organization. */
  let guess: JobKey;
  const databases: Database[] = [];

  beforeAll(async () => {
    engine = await Engine.open();
    theirs = (await engine.jobIn('succeeded')).key;
    guess = { ...theirs, orgId: randomUUID() };
    await forgetInCancel();
    await engine.owner.query(
      `INSERT INTO job_logs (job_id, attempt, number, org_id, text) VALUES ($1, 1, 1, $2, 'canary')`,
      [theirs.jobId, theirs.orgId],
    );
  });
  afterAll(async () => {
    await Promise.all(databases.map((database) => database.onApplicationShutdown()));
    await engine?.close();
  });

  /** What SQL function cancel_job would be without its condition on the organization. */
  async function forgetInCancel(): Promise<void> {
    const { rows } = await engine.owner.query<{ definition: string }>(
      `SELECT pg_get_functiondef('cancel_job'::regproc) AS definition`,
    );
    const definition = rows[0]?.definition ?? '';
    const forgetful = definition
      .replace('FUNCTION public.cancel_job', 'FUNCTION public.forgetful_cancel_job')
      .replace(' AND s.org_id = p_org', '');
    expect(forgetful.length).toBe(
      definition.length + 'forgetful_'.length - ' AND s.org_id = p_org'.length,
    );
    await engine.owner.query(forgetful);
  }

  const forgetful = (requestRole: DatabaseRole): ForgetfulDatabase => {
    const database = new ForgetfulDatabase({ url: engine.url, poolSize: 2, requestRole });
    databases.push(database);
    return database;
  };

  const reads: [string, (database: Database, key: JobKey) => Promise<unknown>][] = [
    ['status', (database, key) => new JobStateStore(database).findState(key)],
    ['results', (database, key) => new JobStateStore(database).findResults(key)],
    ['cancel', (database, key) => endsOf(database).requestCancel(key, ACTOR)],
    [
      'logs',
      async (database, key) => {
        const place = { attempt: 0, number: 0 };
        return (await new JobLogsStore(database).read(key, place, 9))[0] ?? null;
      },
    ],
    ['detail', (database, key) => new JobDetailStore(database).find(key)],
    [
      'audit',
      async (database, { orgId, jobId }) => {
        const filter = { action: null, subject: null, jobId };
        return (await new AuditStore(database).list(orgId, filter, null, 9))[0] ?? null;
      },
    ],
  ];

  it.each(reads)(
    '%s: find another organization’s job without row-level security',
    async (_, find) => {
      const database = forgetful(NO_ROLE);
      expect(await find(database, guess)).not.toBeNull();
      expect(database.forgotten).toBeGreaterThan(0);
    },
  );

  it.each(reads)('%s: find nothing with it', async (_, find) => {
    const database = forgetful('headframe_api');
    expect(await find(database, guess)).toBeNull();
    expect(await find(database, theirs)).not.toBeNull();
  });

  it('cancel: change nothing of a running one', async () => {
    const { key } = await engine.jobIn('in progress');
    const stranger = { ...key, orgId: randomUUID() };
    expect(await endsOf(forgetful('headframe_api')).requestCancel(stranger, ACTOR)).toBeNull();
    expect(await engine.row(key.jobId)).toMatchObject({ status: 'in progress' });
  });

  it('purge: delete nothing of another organization', async () => {
    const stranger = { ...theirs, orgId: randomUUID() };
    expect(await endsOf(forgetful('headframe_api')).purge(stranger, ACTOR)).toBeNull();
    expect(await engine.row(theirs.jobId)).toMatchObject({ status: 'succeeded' });
    expect(await engine.results(theirs.jobId)).toBe(1);
  });
});
