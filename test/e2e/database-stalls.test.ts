import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { describe, expect, it, type TestContext } from 'vitest';
import { Client } from '../support/client.js';
import { createTestDatabase } from '../support/database.js';
import { startService } from '../support/service.js';
import { StallingProxy } from '../support/stalling-proxy.js';
import { token } from '../support/tokens.js';

/** A replica on a database of its own, behind a proxy; with the default lease of 15 s. */
async function replicaBehindProxy({ onTestFinished }: TestContext) {
  const database = await createTestDatabase();
  const rows = new pg.Client(database.url);
  await rows.connect();
  const proxy = await StallingProxy.open(database.url);
  const service = await startService(proxy.url);
  onTestFinished(async () => {
    await service.stop();
    proxy.close();
    await rows.end();
    await database.drop();
  });
  const org = randomUUID();
  const client = new Client(service.url, org, await token(org));
  const query = async <T>(sql: string) => (await rows.query<{ value: T }>(sql)).rows[0]?.value;
  return {
    proxy,
    client,
    service,
    async startJob(seconds: number): Promise<string> {
      const job = await client.submit('diagnostics/sleep', { seconds, steps: seconds * 2 });
      await client.waitFor(job, ({ status }) => status === 'in progress');
      return job;
    },
    /** Waits for the worker's next heartbeat to come through. */
    async heartbeat(): Promise<void> {
      const last = () => query<string>('SELECT max(beat_at)::text AS value FROM workers');
      const before = await last();
      await expect.poll(last, { timeout: 15_000, interval: 25 }).not.toBe(before);
    },
    async expectOneAttempt(job: string): Promise<void> {
      expect((await client.ended(job, 40_000)).status).toBe('succeeded');
      expect((await client.get(`${job}/detail`)).body).toMatchObject({ attempt: 1, crashes: 0 });
      expect(service.log()).not.toContain('stops its jobs');
      expect(service.log()).not.toContain('registers anew');
    },
  };
}

/** A beat is due 5 s after the last; 12 s after it the worker would stop its work. */
describe.concurrent('a worker whose connections stall', () => {
  it.for([
    ['right after a heartbeat, for 7 s', 0, 7_000],
    ['right before one, which is given up meanwhile, for 6 s', 4_500, 6_000],
  ] as const)('%s, and go on: keeps its jobs', async ([, afterBeatMs, stallMs], context) => {
    const replica = await replicaBehindProxy(context);
    const job = await replica.startJob(22);
    await replica.heartbeat();
    await sleep(afterBeatMs);
    replica.proxy.stall();
    await sleep(stallMs);
    replica.proxy.resume();
    await replica.expectOneAttempt(job);
  });

  it('for ever, while new ones can be made: renews over a new one, and keeps its jobs', async (context) => {
    const replica = await replicaBehindProxy(context);
    const job = await replica.startJob(22);
    await replica.heartbeat();
    replica.proxy.abandon();
    await replica.heartbeat();
    // The pools' connections were replaced as well: a submit, a claim and an outcome get through.
    const late = await replica.startJob(1);
    await replica.expectOneAttempt(late);
    await replica.expectOneAttempt(job);
  });
});
