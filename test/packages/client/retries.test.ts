import { randomUUID } from 'node:crypto';
import { type ClientSettings, HeadframeClient } from 'headframe-client';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CuttingProxy } from '../../support/cutting-proxy.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import { type Service, startService } from '../../support/service.js';
import { StallingProxy } from '../../support/stalling-proxy.js';
import { token } from '../../support/tokens.js';
import { type Sent, watchedFetch } from '../../support/watched-fetch.js';

const SLEEP = 'diagnostics/sleep';
/** A limit after which a place is free again in a second. */
const SUBMITS_A_MINUTE = 60;

let database: TestDatabase;
let rows: pg.Client;
let toDatabase: StallingProxy;
let service: Service;
let toService: CuttingProxy;

beforeAll(async () => {
  database = await createTestDatabase();
  rows = new pg.Client(database.url);
  await rows.connect();
  toDatabase = await StallingProxy.open(database.url);
  service = await startService(toDatabase.url, {
    RATE_LIMIT_SUBMITS: String(SUBMITS_A_MINUTE),
    DATABASE_POOL_SIZE: '2',
  });
  toService = await CuttingProxy.open(service.url);
});
afterEach(() => {
  toDatabase.resume();
  toService.loseAnswers(0);
});
afterAll(async () => {
  toService?.close();
  await service?.stop();
  toDatabase?.close();
  await rows?.end();
  await database?.drop();
});

/** A client of a new organization by way of the proxy, and what it sends. */
async function watchedClient(
  settings: Partial<ClientSettings> = {},
  onSent: (sent: Sent) => void = () => undefined,
) {
  const org = randomUUID();
  const { fetch: watched, sent } = watchedFetch(onSent);
  const bearer = await token(org);
  return {
    org,
    sent,
    client: new HeadframeClient({
      url: toService.url,
      org,
      token: bearer,
      fetch: watched,
      ...settings,
    }),
    jobs: async () => {
      const { rows: found } = await rows.query('SELECT id FROM jobs WHERE org_id = $1', [org]);
      return found as { id: string }[];
    },
  };
}

const methodsOf = (sent: readonly Sent[]): string[] =>
  sent.map(({ method, status }) => `${method} ${status}`);

describe('when the connection breaks after a submit has arrived', () => {
  it('the submit is repeated with the same key, and there is one job', async () => {
    const { client, sent, jobs } = await watchedClient();
    toService.loseAnswers(2);
    const job = await client.submit(SLEEP, { seconds: 0 });
    expect(methodsOf(sent)).toEqual(['POST null', 'POST null', 'POST 303']);
    expect(new Set(sent.map(({ headers }) => headers.get('idempotency-key'))).size).toBe(1);
    expect(await jobs()).toEqual([{ id: job.id }]);
  });

  it('each call has a key of its own, and a key of yours is kept', async () => {
    const { client, sent, jobs } = await watchedClient();
    await client.submit(SLEEP, { seconds: 0 });
    await client.submit(SLEEP, { seconds: 0 });
    toService.loseAnswers(1);
    await client.submit(SLEEP, { seconds: 0 }, { idempotencyKey: 'mine' });
    const keys = sent.map(({ headers }) => headers.get('idempotency-key'));
    expect(new Set(keys.slice(0, 2)).size).toBe(2);
    expect(keys.slice(2)).toEqual(['mine', 'mine']);
    expect(await jobs()).toHaveLength(3);
  });

  it('it is not repeated without patience, which sends no key', async () => {
    const { client, sent, jobs } = await watchedClient({ patienceMs: 0 });
    toService.loseAnswers(1);
    await expect(client.submit(SLEEP, { seconds: 0 })).rejects.toMatchObject({
      name: 'ConnectionError',
      cause: expect.any(Error),
    });
    expect(methodsOf(sent)).toEqual(['POST null']);
    expect(sent[0]?.headers.get('idempotency-key')).toBeNull();
    expect(await jobs()).toHaveLength(1);
  });

  it('a job that was given up meanwhile is found again by its key, and canceled', async () => {
    const given = new AbortController();
    const { client, sent, jobs } = await watchedClient({}, ({ status }) => {
      if (status === null) given.abort();
    });
    toService.loseAnswers(1);
    const running = client.run(SLEEP, { seconds: 3_600 }, { signal: given.signal });
    await expect(running).rejects.toThrow('This operation was aborted');
    expect(methodsOf(sent)).toEqual(['POST null', 'POST 303', 'DELETE 204']);
    expect(await jobs()).toHaveLength(1);
  });

  it('a run comes to its end through statuses, results and cancels that get lost', async () => {
    const { client, sent } = await watchedClient();
    const results = await client.run(
      SLEEP,
      { seconds: 0.5, steps: 5 },
      { onProgress: () => toService.loseAnswers(1) },
    );
    expect(results.steps).toBe(5);
    expect(methodsOf(sent)).toContain('GET null');
    const job = await client.submit(SLEEP, { seconds: 3_600 });
    toService.loseAnswers(2);
    await client.cancel(job);
    expect((await client.wait(job)).status).toBe('canceled');
  });
});

describe('a service that is busy', () => {
  it('is asked again when it says (429), and not before the wait is over', async () => {
    const { client, sent } = await watchedClient();
    const jobs: unknown[] = [];
    // More than the limit lets through, however fast it refills meanwhile.
    while (!sent.some(({ status }) => status === 429)) {
      jobs.push(await client.submit(SLEEP, { seconds: 0 }));
      expect(jobs.length).toBeLessThan(10 * SUBMITS_A_MINUTE);
    }
    expect(methodsOf(sent.slice(-2))).toEqual(['POST 429', 'POST 303']);
    const keys = new Set(sent.slice(-2).map(({ headers }) => headers.get('idempotency-key')));
    expect(keys.size).toBe(1);
  });

  it('is given up when it wants to be asked later than there is patience', async () => {
    const { client, sent } = await watchedClient({ patienceMs: 500 });
    const submits = Array.from({ length: SUBMITS_A_MINUTE + 10 }, () =>
      client.submit(SLEEP, { seconds: 0 }),
    );
    const refused = (await Promise.allSettled(submits)).find(({ status }) => status === 'rejected');
    expect(refused).toMatchObject({
      reason: { name: 'RequestError', slug: 'too-many-requests', status: 429 },
    });
    const { retryAfterSeconds } = (refused as PromiseRejectedResult).reason;
    expect(retryAfterSeconds).toBeGreaterThanOrEqual(1);
    expect(sent).toHaveLength(submits.length);
  });

  it('is asked again when its database was away (503)', async () => {
    const { client, sent } = await watchedClient({}, ({ status }) => {
      if (status === 503) toDatabase.resume();
    });
    const job = await client.submit(SLEEP, { seconds: 0 });
    await client.wait(job);
    const before = sent.length;
    toDatabase.stall();
    expect((await client.status(job)).status).toBe('succeeded');
    expect(methodsOf(sent.slice(before))).toEqual(['GET 503', 'GET 200']);
  });

  it('is left in peace at once when the signal fires', async () => {
    const given = new AbortController();
    const { client, sent } = await watchedClient({}, ({ status }) => {
      if (status === 503) given.abort();
    });
    toDatabase.stall();
    const running = client.run(SLEEP, { seconds: 0 }, { signal: given.signal });
    await expect(running).rejects.toThrow('This operation was aborted');
    expect(methodsOf(sent)).toEqual(['POST 503']);
  });
});

describe('a service that restarts', () => {
  it('is found again by those who wait for a job', async () => {
    const database_ = await createTestDatabase();
    const first = await startService(database_.url, { SHUTDOWN_SECONDS: '1' });
    const port = new URL(first.url).port;
    const org = randomUUID();
    const client = new HeadframeClient({ url: first.url, org, token: await token(org) });
    let second: Service | null = null;
    try {
      const job = await client.submit(SLEEP, { seconds: 2, steps: 20 });
      const waiting = client.wait(job);
      await expect.poll(async () => (await client.status(job)).status).toBe('in progress');
      await first.end('SIGTERM');
      second = await startService(database_.url, { PORT: port });
      expect((await waiting).status).toBe('succeeded');
    } finally {
      await first.stop();
      await second?.stop();
      await database_.drop();
    }
  });
});
