import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client } from '../support/client.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { type Service, startService } from '../support/service.js';
import { token } from '../support/tokens.js';

describe('a rolling restart of two replicas under load', () => {
  const org = randomUUID();
  let database: TestDatabase;
  let replicas: Service[];

  beforeAll(async () => {
    database = await createTestDatabase();
    replicas = await Promise.all([start(), start()]);
  });
  afterAll(async () => {
    await Promise.all(replicas?.map((replica) => replica.stop()) ?? []);
    await database?.drop();
  });

  const start = () => startService(database.url, { WORKER_SLOTS: '4', SHUTDOWN_SECONDS: '1' });

  it('loses nothing, fails nothing, and shows no 5xx but 503 from the one that drains', async () => {
    const bearer = await token(org);
    const accepted: string[] = [];
    const statuses = new Set<number>();
    /** Told to end: an answer to a request of before may be looked at after its end. */
    const drained = new Set<Service>();
    let stopped = false;

    /** As a load balancer does: a replica that is gone or draining is asked no more. */
    const load = async (): Promise<void> => {
      for (let count = 0; !stopped; count += 1) {
        const replica = replicas[count % 2] as Service;
        const client = new Client(replica.url, org, bearer);
        const answer = await client
          .execute('diagnostics/sleep', { parameters: { seconds: (count % 4) * 0.4, steps: 3 } })
          .catch(() => null);
        if (answer?.status === 303) {
          accepted.push((answer.headers.get('location') as string).slice(0, -7));
        } else if (answer !== null) {
          statuses.add(answer.status);
          expect(drained).toContain(replica);
        } else {
          expect(drained).toContain(replica);
        }
        await sleep(30);
      }
    };

    const loading = load();
    for (const index of [0, 1]) {
      await sleep(500);
      const draining = replicas[index] as Service;
      drained.add(draining);
      expect(await draining.end('SIGTERM')).toBe(0);
      expect(draining.logLines().filter(({ level }) => Number(level) >= 50)).toEqual([]);
      replicas[index] = await start();
    }
    stopped = true;
    await loading;

    expect([...statuses].filter((status) => status !== 503)).toEqual([]);
    expect(accepted.length).toBeGreaterThan(20);
    const client = new Client((replicas[0] as Service).url, org, bearer);
    for (const job of accepted) {
      expect((await client.ended(job, 60_000)).status).toBe('succeeded');
    }
    const connection = new pg.Client(database.url);
    await connection.connect();
    const { rows } = await connection.query(
      `SELECT count(*)::int AS jobs, sum(failures)::int AS failures, sum(crashes)::int AS crashes FROM jobs`,
    );
    const { rows: outcomes } = await connection.query<{ outcome: string }>(
      'SELECT DISTINCT outcome FROM job_attempts',
    );
    await connection.end();
    expect(rows).toEqual([{ jobs: accepted.length, failures: 0, crashes: 0 }]);
    expect(outcomes.every(({ outcome }) => outcome === 'released')).toBe(true);
  }, 180_000);
});
