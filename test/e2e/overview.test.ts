import { randomUUID } from 'node:crypto';
import { Client as Postgres } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { overviewOf, type PastJob, percentilesOf } from '../../src/jobs/overview/overview.js';
import { Client } from '../support/client.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { type Service, startService } from '../support/service.js';
import { token } from '../support/tokens.js';

describe('an overview', () => {
  const at = (minute: number, second = 0) => new Date(Date.UTC(2026, 0, 31, 12, minute, second));
  const job = (change: Partial<PastJob>): PastJob => ({
    topic: 'a',
    task: 'b',
    status: 'succeeded',
    createdAt: at(1),
    startedAt: at(1, 10),
    endedAt: at(2, 30),
    crashes: 0,
    ...change,
  });

  it('counts ends in the part of the period they fell into, and times of what was started', () => {
    const told = overviewOf(
      [
        job({}),
        job({ status: 'failed', crashes: 2, endedAt: at(9) }),
        job({ task: 'c', status: 'requested', startedAt: null, endedAt: null }),
      ],
      at(0).getTime(),
      5,
      60_000,
    );
    expect(told.throughput.map(({ submitted }) => submitted)).toEqual([0, 3, 0, 0, 0]);
    expect(told.throughput.map(({ succeeded }) => succeeded)).toEqual([0, 0, 1, 0, 0]);
    // What ended behind the last part, by a clock ahead of ours, counts in it.
    expect(told.throughput.map(({ failed }) => failed)).toEqual([0, 0, 0, 0, 1]);
    expect(told.wait).toEqual({ p50: 10, p90: 10, p99: 10 });
    expect(told.leasesLost).toBe(2);
    expect(told.byTask).toEqual([
      expect.objectContaining({ task: 'b', submitted: 2, ended: 2, failed: 1 }),
      expect.objectContaining({ task: 'c', submitted: 1, ended: 0, failed: 0, run: null }),
    ]);
  });

  it('tells percentiles by the nearest rank', () => {
    expect(percentilesOf(Array.from({ length: 100 }, (_, index) => 100 - index))).toEqual({
      p50: 50,
      p90: 90,
      p99: 99,
    });
    expect(percentilesOf([])).toBeNull();
  });
});

describe('GET …/jobs/overview', () => {
  const org = randomUUID();
  let database: TestDatabase;
  let service: Service;
  let client: Client;

  beforeAll(async () => {
    database = await createTestDatabase();
    service = await startService(database.url, { WORKER_SLOTS: '3' });
    client = new Client(service.url, org, await token(org));
  });
  afterAll(async () => {
    await service?.stop();
    await database?.drop();
  });

  it('tells how the jobs of the organization went, and who runs them, but not on which host', async () => {
    const good = await client.submit('diagnostics/sleep', { seconds: 0 });
    const bad = await client.submit('diagnostics/sleep', { seconds: 0, fail: true });
    await Promise.all([client.ended(good), client.ended(bad)]);
    const other = new Client(service.url, randomUUID(), '');
    const foreign = new Client(service.url, other.org, await token(other.org));
    await foreign.ended(await foreign.submit('diagnostics/sleep', { seconds: 0 }));
    const answer = await client.get('jobs/overview?period=day');
    expect(answer.status).toBe(200);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const { body, text } = answer;
    expect(body).toMatchObject({ period_seconds: 86_400, counted: 2, truncated: false });
    expect(body.throughput).toHaveLength(96);
    expect(body.by_task).toEqual([
      expect.objectContaining({ task: 'sleep', submitted: 2, ended: 2, failed: 1 }),
    ]);
    expect(body.workers).toEqual([
      expect.objectContaining({ slots: 3, running: 0, draining: false }),
    ]);
    const connection = new Postgres(database.url);
    await connection.connect();
    const { rows } = await connection.query<{ name: string }>('SELECT name FROM workers');
    await connection.end();
    expect(text).not.toContain(rows[0]?.name);
  });

  it('is of the last hour unless it is asked otherwise, and refuses what it does not know', async () => {
    expect((await client.get('jobs/overview')).body.period_seconds).toBe(3_600);
    expect((await client.get('jobs/overview?period=year')).status).toBe(400);
    expect((await client.get('jobs/overview?since=1')).status).toBe(400);
    const executor = new Client(service.url, org, await token(org, { scope: 'compute:execute' }));
    expect((await executor.get('jobs/overview')).status).toBe(403);
  });

  it('is read once for all who ask within some seconds', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => client.get('jobs/overview')),
    );
    // Two, where the time of the first ran out meanwhile.
    expect(new Set(answers.map(({ text }) => text)).size).toBeLessThanOrEqual(2);
  });
});
