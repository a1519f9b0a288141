import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ADVISORY_LOCKS } from '../../src/platform/database/advisory-locks.js';
import { Client } from '../support/client.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { type Service, startService } from '../support/service.js';
import { token } from '../support/tokens.js';

const OURS = `datname = current_database() AND application_name = 'headframe'`;

describe('a database that misbehaves', () => {
  const org = randomUUID();
  let database: TestDatabase;
  let rows: pg.Client;
  let services: Service[] = [];

  beforeAll(async () => {
    database = await createTestDatabase();
    rows = new pg.Client(database.url);
    await rows.connect();
  });
  afterEach(async () => {
    await Promise.all(services.map((service) => service.stop()));
    services = [];
  });
  afterAll(async () => {
    await rows?.end();
    await database?.drop();
  });

  async function start(environment: Record<string, string> = {}): Promise<Client> {
    const service = await startService(database.url, environment);
    services.push(service);
    return new Client(service.url, org, await token(org));
  }

  const errors = () =>
    services.flatMap((service) => service.logLines().filter(({ level }) => Number(level) >= 50));

  it.each([
    [
      'ends its connections',
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${OURS}`,
    ],
    [
      'cancels its statements, as a timeout does',
      `SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE ${OURS} AND state = 'active'`,
    ],
  ])('%s again and again: nothing is lost, nothing ends by itself', async (_, harm) => {
    const client = await start({ WORKER_SLOTS: '4' });
    let harming = true;
    const harmer = (async () => {
      while (harming) {
        await rows.query(harm);
        await sleep(50);
      }
    })();
    const accepted: string[] = [];
    for (let count = 0; count < 60; count += 1) {
      const answer = await client.execute('diagnostics/sleep', {
        parameters: { seconds: 0.1, steps: 3 },
      });
      if (answer.status === 303) {
        accepted.push((answer.headers.get('location') as string).slice(0, -7));
      } else {
        expect(answer.status).toBe(503);
        expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
      }
      await sleep(20);
    }
    harming = false;
    await harmer;
    expect(accepted.length).toBeGreaterThan(0);
    for (const job of accepted) {
      expect((await client.ended(job)).status).toBe('succeeded');
    }
    expect(errors()).toEqual([]);
  });

  it('ends the connection for hints: a cancel still reaches another replica, by a new one', async () => {
    const client = await start({ ROLE: 'api' });
    // With beats twenty seconds apart and no progress, only a notification can be quick.
    await start({ ROLE: 'worker', LEASE_SECONDS: '60' });
    const listening = `${OURS} AND pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND classid = ${ADVISORY_LOCKS.worker} AND granted)`;
    const listener = async () =>
      (await rows.query<{ pid: number }>(`SELECT pid FROM pg_stat_activity WHERE ${listening}`))
        .rows[0]?.pid;
    const before = await listener();
    await rows.query('SELECT pg_terminate_backend($1)', [before]);
    await expect
      .poll(async () => {
        const now = await listener();
        return now !== undefined && now !== before;
      })
      .toBe(true);
    const job = await client.submit('diagnostics/spin', { seconds: 600 });
    await client.waitFor(job, ({ status }) => status === 'in progress');
    await client.delete(job);
    expect((await client.ended(job, 15_000)).status).toBe('canceled');
  });

  it('is left in peace by an idle replica: under two statements a second', async () => {
    await rows.query('CREATE EXTENSION IF NOT EXISTS pg_stat_statements');
    await start();
    // Polling has slowed down to its floor by then.
    await sleep(8_000);
    // Of this database alone, and not our own question; autovacuum's work is not counted there.
    const statements = async () => {
      const { rows: found } = await rows.query<{ count: number; at: number }>(
        `SELECT coalesce(sum(calls), 0)::int AS count, extract(epoch FROM clock_timestamp())::float8 AS at
         FROM pg_stat_statements
         WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
           AND query NOT LIKE '%pg_stat_statements%'`,
      );
      return found[0] as { count: number; at: number };
    };
    const before = await statements();
    await sleep(15_000);
    const after = await statements();
    expect(after.count).toBeGreaterThan(before.count);
    expect((after.count - before.count) / (after.at - before.at)).toBeLessThan(2);
  });
});
