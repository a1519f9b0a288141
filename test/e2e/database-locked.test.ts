import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, Client } from '../support/client.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { type Service, startService } from '../support/service.js';
import { token } from '../support/tokens.js';

/** Longer than statements of requests may take, shorter than those of work, and than a lease. */
const LOCKED_MS = 7_000;

describe('a table that somebody else has locked', () => {
  const org = randomUUID();
  let database: TestDatabase;
  let other: pg.Client;
  let service: Service;
  let client: Client;

  beforeAll(async () => {
    database = await createTestDatabase();
    other = new pg.Client(database.url);
    await other.connect();
    service = await startService(database.url);
    client = new Client(service.url, org, await token(org));
  });
  afterAll(async () => {
    await service?.stop();
    await other?.end();
    await database?.drop();
  });

  it('is not waited for by requests: they answer 503; work waits, and nothing is lost', async () => {
    const job = await client.submit('diagnostics/sleep', { seconds: 2, steps: 2 });
    await client.waitFor(job, ({ status }) => status === 'in progress');
    await other.query('BEGIN');
    await other.query('LOCK TABLE jobs');
    const locked = Date.now();
    const asked: Record<string, Promise<Answer>> = {
      status: client.get(`${job}/status`),
      outcome: client.get(job),
      detail: client.get(`${job}/detail`),
      execute: client.execute('diagnostics/sleep', { parameters: { seconds: 1, steps: 1 } }),
      cancel: client.delete(job),
    };
    expect((await fetch(`${service.url}/health/ready`)).status).toBe(200);
    const answers: Record<string, unknown> = {};
    for (const [name, answer] of Object.entries(asked)) {
      const { status, headers, body } = await answer;
      answers[name] = [status, body.type, headers.get('retry-after')];
    }
    const unavailable = [503, 'urn:headframe:problem/unavailable', expect.stringMatching(/^\d+$/)];
    expect(answers).toEqual(
      Object.fromEntries(Object.keys(asked).map((name) => [name, unavailable])),
    );
    await sleep(locked + LOCKED_MS - Date.now());
    await other.query('COMMIT');
    expect((await client.ended(job)).status).toBe('succeeded');
    expect((await client.get(`${job}/detail`)).body).toMatchObject({ attempt: 1, crashes: 0 });
    // What was answered with 503 was not done.
    const { rows } = await other.query(`SELECT count(*)::int AS count FROM jobs`);
    expect(rows).toEqual([{ count: 1 }]);
    expect(service.logLines().filter(({ level }) => Number(level) >= 50)).toEqual([]);
  });
});
