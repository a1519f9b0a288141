import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { type Service, startService } from '../support/service.js';

describe('organizations that compete for the same workers', () => {
  let database: TestDatabase;
  let rows: pg.Client;
  let services: Service[];

  beforeEach(async () => {
    database = await createTestDatabase();
    rows = new pg.Client(database.url);
    await rows.connect();
    services = [];
  });
  afterEach(async () => {
    await Promise.all(services.map((service) => service.stop()));
    await rows?.end();
    await database?.drop();
  });

  const work = async () => {
    services = await Promise.all(
      Array.from({ length: 2 }, () =>
        startService(database.url, { ROLE: 'worker', LOG_LEVEL: 'info', WORKER_SLOTS: '4' }),
      ),
    );
  };

  const queue = (orgs: readonly string[], each: number, seconds: number) =>
    rows.query(
      `WITH job AS (
         SELECT gen_random_uuid() AS id, org::uuid AS org, json_build_object('seconds', $3::float8, 'steps', 1) AS parameters
         FROM unnest($1::text[]) AS org, generate_series(1, $2)
       ), queued AS (
         INSERT INTO job_queue (job_id, org_id, topic, task) SELECT id, org, 'diagnostics', 'sleep' FROM job
       )
       INSERT INTO job_submissions (id, org_id, topic, task, parameters, parameters_bytes)
       SELECT id, org, 'diagnostics', 'sleep', parameters, octet_length(parameters::text) FROM job`,
      [orgs, each, seconds],
    );

  const count = async (condition: string, values: unknown[] = []) => {
    const { rows: found } = await rows.query<{ count: number }>(
      `SELECT count(*)::int AS count FROM jobs WHERE ${condition}`,
      values,
    );
    return found[0]?.count as number;
  };

  const patience = { timeout: 40_000, interval: 20 };

  it('ninety jobs of nine others are done before five per cent of one’s ten thousand', async () => {
    const whale = randomUUID();
    // Jobs as long as a hiccup of a busy machine: else one worker that is held up for a moment lets
    // the other, which has nothing else to do, finish hundreds of the whale's.
    await queue([whale], 10_000, 0.01);
    await queue(
      Array.from({ length: 9 }, () => randomUUID()),
      10,
      0.01,
    );
    await work();
    await expect
      .poll(() => count(`status = 'succeeded' AND org_id <> $1`, [whale]), patience)
      .toBe(90);
    const meanwhile = await count(
      `org_id = $1 AND ended_at < (SELECT max(ended_at) FROM jobs WHERE org_id <> $1)`,
      [whale],
    );
    expect(meanwhile).toBeLessThan(500);
  });

  it('weights of three to one share the starts three to one', async () => {
    const [heavy, light] = [randomUUID(), randomUUID()];
    await rows.query('INSERT INTO organization_limits (org_id, weight) VALUES ($1, 3)', [heavy]);
    await queue([heavy, light], 4_000, 0);
    await work();
    await expect.poll(() => count('started_at IS NOT NULL'), patience).toBeGreaterThan(2_000);
    // Of the first two thousand starts, in their order.
    const { rows: shares } = await rows.query<{ heavy: number }>(
      `SELECT count(*) FILTER (WHERE org_id = $1)::int AS heavy FROM (
         SELECT org_id FROM jobs WHERE started_at IS NOT NULL ORDER BY started_at LIMIT 2000) first`,
      [heavy],
    );
    expect(shares[0]?.heavy).toBeGreaterThan(1_350);
    expect(shares[0]?.heavy).toBeLessThan(1_650);
  });
});
