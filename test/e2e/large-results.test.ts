import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { v7 as uuidv7 } from 'uuid';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { Engine } from '../support/jobs.js';
import { type Service, startService } from '../support/service.js';
import { token } from '../support/tokens.js';

describe('results of many megabytes', () => {
  let database: TestDatabase;
  let engine: Engine;
  let service: Service;
  const org = randomUUID();

  beforeAll(async () => {
    database = await createTestDatabase();
    engine = Engine.on(database.url);
    service = await startService(database.url, { ROLE: 'api' });
  });
  afterAll(async () => {
    await service?.stop();
    await engine?.close();
    await database?.drop();
  });

  /** A job that has ended with these results, as they would be stored. */
  const ended = async (results: string): Promise<string> => {
    const id = uuidv7();
    await engine.owner.query(
      `WITH ended AS (
         INSERT INTO job_ends (job_id, org_id, status, progress, attempt, failures, crashes, ended_at)
         VALUES ($1, $2, 'succeeded', 100, 1, 0, 0, clock_timestamp())
       )
       INSERT INTO job_submissions (id, org_id, topic, task) VALUES ($1, $2, 'diagnostics', 'sleep')`,
      [id, org],
    );
    await engine.owner.query(
      `INSERT INTO job_results (job_id, org_id, results, bytes) VALUES ($1, $2, $3::text::json, octet_length($3::text))`,
      [id, org, results],
    );
    return `${service.url}/compute/orgs/${org}/diagnostics/sleep/${id}`;
  };
  const ask = async (url: string): Promise<IncomingMessage> => {
    const request = get(url, { headers: { authorization: `Bearer ${await token(org)}` } });
    const [answer] = (await once(request, 'response')) as [IncomingMessage];
    return answer;
  };
  const textOf = async (answer: IncomingMessage): Promise<string> => {
    const parts: Buffer[] = [];
    for await (const part of answer) {
      parts.push(part as Buffer);
    }
    return Buffer.concat(parts).toString();
  };

  it.each([0, 1, 2, 3, 262_100, 786_420, 786_432, 3_000_001])(
    'arrive as they are stored, with %i bytes before characters of several',
    async (shift) => {
      const results = `{"a":"${'x'.repeat(shift)}${'ä€𐍈'.repeat(100_000)}"}`;
      const answer = await ask(await ended(results));
      expect(answer.statusCode).toBe(200);
      expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
      // Compared as one, since a difference of megabytes takes longer to print than to find.
      const same = (await textOf(answer)) === `{"status":"succeeded","results":${results}}`;
      expect(same).toBe(true);
    },
  );

  it('leave nothing behind when the client goes away, however often', async () => {
    const url = await ended(`{"a":"${'x'.repeat(8_000_000)}"}`);
    for (let round = 0; round < 12; round += 1) {
      await expect
        .poll(
          async () => {
            const answer = await ask(url);
            answer.on('error', () => undefined);
            answer.destroy();
            return answer.statusCode;
          },
          { timeout: 10_000 },
        )
        .toBe(200);
    }
    const whole = async () => (await textOf(await ask(url))).length;
    await expect.poll(whole, { timeout: 10_000 }).toBeGreaterThan(8_000_000);
  });

  it('are refused with 429 to an organization that reads as many as it may', async () => {
    const url = await ended(`{"a":"${'x'.repeat(30_000_000)}"}`);
    // Nobody reads these: they wait in the middle.
    const waiting = await Promise.all([ask(url), ask(url)]);
    const refused = await ask(url);
    expect(refused.statusCode).toBe(429);
    expect(refused.headers['retry-after']).toBe('2');
    refused.resume();
    for (const answer of waiting) {
      answer.on('error', () => undefined);
      answer.destroy();
    }
  });
});
