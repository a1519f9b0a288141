import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { OrganizationBucket } from '../../src/jobs/limits/organization-rates.js';
import { NIL_UUID } from '../../src/platform/ids/uuid.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

/** What the functions stand for, as it would be written into each statement. */
const WRITTEN_OUT = `LATERAL (SELECT l.* FROM organization_limits l
  WHERE l.org_id IN (asked.org_id, '${NIL_UUID}') ORDER BY l.org_id DESC LIMIT 1)`;
const WHOSE_TURN = `(SELECT CASE WHEN $1 > 0 THEN $2::uuid ELSE coalesce(
  (SELECT q.org_id FROM job_queue q WHERE q.run_after IS NULL AND q.org_id > $2
   ORDER BY q.org_id LIMIT 1),
  (SELECT q.org_id FROM job_queue q WHERE q.run_after IS NULL
   ORDER BY q.org_id LIMIT 1)) END AS org_id) AS asked`;

describe('the limits in force', () => {
  let database: TestDatabase;
  let client: Client;
  const [own, other] = [randomUUID(), randomUUID()];

  beforeAll(async () => {
    database = await createTestDatabase();
    client = new Client(database.url);
    await client.connect();
  });
  afterAll(async () => {
    await client.end();
    await database.drop();
  });
  beforeEach(() => client.query('BEGIN'));
  afterEach(() => client.query('ROLLBACK'));

  const set = (orgId: string, polls: number | null) =>
    client.query(
      'INSERT INTO organization_limits (org_id, max_running, polls_per_minute) VALUES ($1, 3, $2)',
      [orgId, polls],
    );
  const as = (role: string) => client.query(`SET LOCAL ROLE ${role}`);
  const whose = async (orgId: string): Promise<string[]> => {
    const { rows } = await client.query<{ org_id: string }>(
      'SELECT org_id FROM effective_limits($1)',
      [orgId],
    );
    return rows.map((row) => row.org_id);
  };
  const rateOf = async (orgId: string, bucket = 'polls') => {
    const { rows } = await client.query('SELECT per_minute FROM rate_limit_of($1, $2, 60)', [
      orgId,
      bucket,
    ]);
    return rows;
  };
  const plan = async (statement: string): Promise<string> => {
    await client.query(`PREPARE asked AS ${statement}`);
    await client.query('SET LOCAL plan_cache_mode = force_generic_plan');
    const values = statement.includes('$2') ? `(0, '${own}')` : '';
    const { rows } = await client.query<{ 'QUERY PLAN': string }>(`EXPLAIN EXECUTE asked${values}`);
    await client.query('DEALLOCATE asked');
    return rows.map((row) => row['QUERY PLAN']).join('\n');
  };

  it("are the organization's own, else those of the nil UUID, else none", async () => {
    expect(await whose(own)).toEqual([]);
    await set(NIL_UUID, null);
    expect(await whose(own)).toEqual([NIL_UUID]);
    await set(own, null);
    expect(await whose(own)).toEqual([own]);
    expect(await whose(other)).toEqual([NIL_UUID]);
  });

  it('say how many requests a minute, or leave that as it is configured', async () => {
    expect(await rateOf(own)).toEqual([{ per_minute: 60 }]);
    await set(NIL_UUID, 5);
    expect(await rateOf(own)).toEqual([{ per_minute: 5 }]);
    await set(own, 0);
    expect(await rateOf(own)).toEqual([{ per_minute: 0 }]);
    expect(await rateOf(own, 'requests')).toEqual([{ per_minute: 60 }]);
    expect(await rateOf(NIL_UUID, 'failures')).toEqual([{ per_minute: 60 }]);
  });

  it.each([
    ['submits', 1],
    ['cancels', 1],
    ['polls', 2],
    ['requests', 3],
  ] satisfies [OrganizationBucket, number][])('say it of %s', async (bucket, perMinute) => {
    await client.query(
      `INSERT INTO organization_limits (org_id, submits_per_minute, polls_per_minute, requests_per_minute)
       VALUES ($1, 1, 2, 3)`,
      [own],
    );
    expect(await rateOf(own, bucket)).toEqual([{ per_minute: perMinute }]);
  });

  it("are for a request those of its own organization and the nil UUID's", async () => {
    await set(NIL_UUID, null);
    await set(own, null);
    await set(other, null);
    await as('headframe_api');
    expect(await whose(own)).toEqual([NIL_UUID]);
    await client.query(`SELECT set_config('headframe.organizations', $1, true)`, [own]);
    expect(await whose(own)).toEqual([own]);
    expect(await whose(other)).toEqual([NIL_UUID]);
  });

  it.each(['headframe_worker', 'headframe_api'])(
    'are planned for %s as if they stood in the statement itself',
    async (role) => {
      await as(role);
      for (const asked of [WHOSE_TURN, `unnest('{${own},${other}}'::uuid[]) AS asked(org_id)`]) {
        const select = `SELECT asked.org_id, held.weight, held.max_running FROM ${asked} LEFT JOIN`;
        const called = await plan(`${select} effective_limits(asked.org_id) AS held ON true`);
        expect(called).toBe(await plan(`${select} ${WRITTEN_OUT} AS held ON true`));
        expect(called).toContain('on organization_limits');
      }
      const rate = await plan(
        `SELECT rate.* FROM unnest('{${own}}'::uuid[]) AS asked(org_id)
         CROSS JOIN rate_limit_of(asked.org_id, 'polls', 60) AS rate`,
      );
      expect(rate).toContain('on organization_limits');
      expect(rate).not.toContain('rate_limit_of');
    },
  );
});
