import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client, ownClient } from '../support/client.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { type Service, startService } from '../support/service.js';

let database: TestDatabase;
let api: Service;
let other: Service;
let worker: Service;

beforeAll(async () => {
  database = await createTestDatabase();
  [api, other, worker] = await Promise.all([
    startService(database.url, {
      ROLE: 'api',
      MAX_WAIT_SECONDS: '20',
      MAX_WAITS_ORG: '3',
      MAX_WAITS: '4',
    }),
    startService(database.url, { ROLE: 'api' }),
    startService(database.url, { ROLE: 'worker', WORKER_SLOTS: '4' }),
  ]);
});
afterAll(async () => {
  await Promise.all([api, other, worker].map((service) => service?.stop()));
  await database?.drop();
});

const newClient = (url = api.url) => ownClient(url);

const wait = (seconds: number | string) => ({ prefer: `wait=${seconds}` });
/** A job that no worker starts while a test looks at it. */
const later = () => ({ run_after: new Date(Date.now() + 3_600_000).toISOString() });

describe('Prefer: wait', () => {
  it.each([
    ['the status back until it changes', '/status'],
    ['the results back until the job has ended', ''],
  ])('holds %s, and answers as it hears of that', async (_, path) => {
    const client = await newClient();
    const late: number[] = [];
    for (let times = 0; times < 5; times += 1) {
      const job = await client.submit('diagnostics/sleep', { seconds: 0.4, steps: 2 });
      await client.waitFor(job, ({ status }) => status === 'in progress');
      const answer = await client.get(job + path, wait(10));
      const answered = Date.now();
      expect(answer.status).toBe(200);
      expect(answer.body).toMatchObject({ status: 'succeeded' });
      expect(answer.headers.get('preference-applied')).toBe('wait=10');
      const { body } = await client.get(`${job}/detail`);
      late.push(answered - Date.parse(body.ended_at));
    }
    // Reading again would take a second on average; how soon it is, the benchmark of streams measures.
    expect(late.toSorted((a, b) => a - b)[2]).toBeLessThan(500);
  });

  it('holds the 303 of execute back until the job has ended; its body stays empty', async () => {
    const client = await newClient();
    const answer = await client.execute(
      'diagnostics/sleep',
      { parameters: { seconds: 0.3, steps: 1 } },
      wait(10),
    );
    expect(answer.status).toBe(303);
    expect(answer.text).toBe('');
    expect(answer.headers.get('content-length')).toBe('0');
    expect(answer.headers.get('preference-applied')).toBe('wait=10');
    const status = await client.get(answer.headers.get('location') as string);
    expect(status.body.status).toBe('succeeded');
  });

  it('hears of a cancel on another replica', async () => {
    const client = await newClient();
    const there = new Client(other.url, client.org, client.token);
    const late: number[] = [];
    for (let times = 0; times < 3; times += 1) {
      const job = await client.submit('diagnostics/sleep', { seconds: 1, steps: 1 }, later());
      const held = client.get(`${job}/status`, wait(10));
      // Longer than it is read by itself after others were told that it is followed.
      await sleep(700);
      await there.delete(job);
      const canceled = performance.now();
      const { body } = await held;
      expect(body.status).toBe('canceled');
      late.push(performance.now() - canceled);
    }
    expect(Math.min(...late)).toBeLessThan(500);
  });

  it('ends with the state as it is when the time is over', async () => {
    const client = await newClient();
    const job = await client.submit('diagnostics/sleep', { seconds: 0, steps: 1 }, later());
    for (const path of [`${job}/status`, job]) {
      const asked = performance.now();
      const answer = await client.get(path, wait(1));
      expect(performance.now() - asked).toBeGreaterThan(950);
      expect(answer.status).toBe(202);
      expect(answer.body.status).toBe('requested');
      expect(answer.headers.get('preference-applied')).toBe('wait=1');
    }
  });

  it('is cut to what is configured', async () => {
    const client = await newClient();
    const job = await client.submit('diagnostics/sleep', { seconds: 0, steps: 1 });
    await client.ended(job);
    const { headers } = await client.get(`${job}/status`, wait(999_999));
    expect(headers.get('preference-applied')).toBe('wait=20');
    expect(headers.get('vary')?.toLowerCase()).toContain('prefer');
  });

  it.each([
    ['wait=-1', null],
    ['wait=1.5', null],
    ['wait=', null],
    ['wait', null],
    ['wait=soon', null],
    ['respond-async', null],
    ['', null],
    ['wait=0, wait=9', 'wait=0'],
    ['respond-async, Wait="0"; strict', 'wait=0'],
    ['return="a,wait=9", wait=0', 'wait=0'],
  ])('%j is granted as %j', async (prefer, applied) => {
    const client = await newClient();
    const job = await client.submit('diagnostics/sleep', { seconds: 0, steps: 1 }, later());
    const asked = performance.now();
    const answer = await client.get(`${job}/status`, { prefer });
    expect(performance.now() - asked).toBeLessThan(8_000);
    expect(answer.status).toBe(202);
    expect(answer.headers.get('preference-applied')).toBe(applied);
  });

  it('answers an unknown job and a foreign organization at once', async () => {
    const client = await newClient();
    const unknown = `diagnostics/sleep/${randomUUID()}/status`;
    expect((await client.get(unknown, wait(10))).status).toBe(404);
    const foreign = `/compute/orgs/${randomUUID()}/${unknown}`;
    expect((await client.get(foreign, wait(10))).status).toBe(403);
  });

  it('is granted to so many of an organization and of all; dropped clients make room', async () => {
    const [one, two] = [await newClient(), await newClient()];
    const [ofOne, ofTwo] = [
      await one.submit('diagnostics/sleep', { seconds: 0, steps: 1 }, later()),
      await two.submit('diagnostics/sleep', { seconds: 0, steps: 1 }, later()),
    ];
    const dropped = new AbortController();
    const held = (client: Client, job: string) =>
      client
        .request('GET', `${job}/status`, { headers: wait(20), signal: dropped.signal })
        .catch((error: Error) => error.name);
    const granted = async (client: Client, job: string) =>
      (await client.get(`${job}/status`, wait(0))).headers.get('preference-applied') !== null;

    const three = [held(one, ofOne), held(one, ofOne), held(one, ofOne)];
    await until(async () => !(await granted(one, ofOne)));
    expect(await granted(two, ofTwo)).toBe(true);
    const fourth = held(two, ofTwo);
    await until(async () => !(await granted(two, ofTwo)));
    dropped.abort();
    expect(await Promise.all([...three, fourth])).toEqual(Array(4).fill('AbortError'));
    await until(() => granted(one, ofOne));
    await until(() => granted(two, ofTwo));
  });

  it('ends when the replica stops, with the state as it is', async () => {
    const stopping = await startService(database.url, { ROLE: 'api' });
    const client = await newClient(stopping.url);
    const job = await client.submit('diagnostics/sleep', { seconds: 0, steps: 1 }, later());
    const held = client.get(`${job}/status`, wait(50));
    await sleep(200);
    const asked = performance.now();
    const ended = stopping.end('SIGTERM');
    expect((await held).body.status).toBe('requested');
    expect(performance.now() - asked).toBeLessThan(20_000);
    expect(await ended).toBe(0);
  });
});

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 5_000;
  while (!(await condition())) {
    if (Date.now() > deadline) {
      throw new Error('waited in vain');
    }
    await sleep(20);
  }
}
