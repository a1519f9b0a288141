import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { JOB_EVENT } from '../../src/jobs/follow/event.schema.js';
import { Client, ownClient } from '../support/client.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { EventReader } from '../support/event-reader.js';
import { type Service, startService } from '../support/service.js';
import { token } from '../support/tokens.js';

let database: TestDatabase;
let api: Service;
let other: Service;
let worker: Service;

beforeAll(async () => {
  database = await createTestDatabase();
  [api, other, worker] = await Promise.all([
    startService(database.url, { ROLE: 'api', MAX_STREAMS_ORG: '3', CORS_ORIGINS: '*' }),
    startService(database.url, { ROLE: 'api' }),
    startService(database.url, { ROLE: 'worker', WORKER_SLOTS: '4' }),
  ]);
});
afterAll(async () => {
  await Promise.all([api, other, worker].map((service) => service?.stop()));
  await database?.drop();
});

const newClient = (url = api.url) => ownClient(url);

/** A job that no worker starts while a test looks at it. */
const later = () => ({ run_after: new Date(Date.now() + 3_600_000).toISOString() });
/** All events of a stream that ends. */
async function allOf(reader: EventReader) {
  await reader.ended;
  return reader.events;
}
const statesOf = (reader: EventReader) =>
  reader.events.filter(({ name }) => name === 'status').map(({ data }) => data.status);

describe('the events of a job', () => {
  it('are its state at once, every later one in order, and the end', async () => {
    const client = await newClient();
    const job = await client.submit(
      'diagnostics/sleep',
      { seconds: 2, steps: 4 },
      { run_after: new Date(Date.now() + 1_000).toISOString() },
    );
    const reader = await EventReader.open(client, `${job}/events`);
    expect(Object.fromEntries(reader.headers)).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
      vary: expect.stringContaining('evo-sdk-source'),
    });
    const events = await allOf(reader);
    expect(events[0]).toMatchObject({ name: 'status', data: { status: 'requested', progress: 0 } });
    expect([...new Set(statesOf(reader))]).toEqual(['requested', 'in progress', 'succeeded']);
    const progress = events.slice(1, -1).map(({ data }) => data.progress);
    expect(progress).toEqual(progress.toSorted((a, b) => a - b));
    expect(new Set(progress).size).toBeGreaterThan(3);
    expect(events.at(-2)).toMatchObject({
      name: 'status',
      data: {
        id: job.split('/').at(-1),
        status: 'succeeded',
        progress: 100,
        links: { result: api.url + job },
      },
    });
    expect(events.at(-1)).toEqual({ name: 'end', id: events.at(-2)?.id, data: {} });
    expect(new Set(events.slice(0, -1).map(({ id }) => id)).size).toBe(events.length - 1);
    for (const { data } of events.slice(0, -1)) {
      expect(JOB_EVENT.safeParse(data).error).toBeUndefined();
    }
  });

  it('tell that it was running, though it ended before anybody looked', async () => {
    const client = await newClient();
    const job = await client.submit(
      'diagnostics/sleep',
      { seconds: 0, steps: 1 },
      { run_after: new Date(Date.now() + 700).toISOString() },
    );
    const reader = await EventReader.open(client, `${job}/events`);
    await reader.ended;
    expect([...new Set(statesOf(reader))]).toEqual(['requested', 'in progress', 'succeeded']);
  });

  it('come as the change is heard of, from another replica', async () => {
    const client = await newClient();
    const there = new Client(other.url, client.org, client.token);
    const late: number[] = [];
    for (let times = 0; times < 5; times += 1) {
      const job = await client.submit('diagnostics/sleep', { seconds: 60, steps: 1 });
      await client.waitFor(job, ({ status }) => status === 'in progress');
      const reader = await EventReader.open(client, `${job}/events`);
      await reader.next();
      const asked = performance.now();
      await there.delete(job);
      await reader.until(({ data }) => data.status.startsWith('cancel'));
      late.push(performance.now() - asked);
      await reader.ended;
      expect(statesOf(reader).at(-1)).toBe('canceled');
      expect(reader.events.at(-2)?.data.error.title).toBe('The job was canceled.');
    }
    // Reading again would take a second on average; how soon it is, the benchmark of streams measures.
    expect(late.toSorted((a, b) => a - b)[2]).toBeLessThan(500);
  });

  it('go on at any replica behind the last one that a client has', async () => {
    const client = await newClient();
    const there = new Client(other.url, client.org, client.token);
    const job = await client.submit('diagnostics/sleep', { seconds: 3, steps: 6 });
    const first = await EventReader.open(client, `${job}/events`);
    const seen = await first.until(({ data }) => data.progress > 0);
    await first.close();
    const second = await EventReader.open(there, `${job}/events`, {
      'last-event-id': first.lastId,
    });
    const next = await second.next();
    expect(next?.id).not.toBe(seen.id);
    expect(next?.data.progress).toBeGreaterThan(seen.data.progress);
    await second.ended;
    expect(second.events.filter(({ data }) => data.status === 'succeeded')).toHaveLength(1);
    const again = await there.get(`${job}/events`, { 'last-event-id': second.lastId });
    expect(again.status).toBe(204);
    expect(again.text).toBe('');
  });

  it('of a job that has ended are the final state and the end', async () => {
    const client = await newClient();
    const job = await client.submit('diagnostics/sleep', { seconds: 0, steps: 1, fail: true });
    await client.ended(job);
    const events = await allOf(await EventReader.open(client, `${job}/events`));
    expect(events.map(({ name }) => name)).toEqual(['status', 'end']);
    expect(events[0]?.data).toMatchObject({ status: 'failed', error: { status: 500 } });
  });

  it.each([
    ['garbage', () => 'x'.repeat(3_000)],
    ['an empty id', () => ''],
    ['SQL', () => "1' OR 1=1"],
    ['an id of another job', (id: string) => id.replace(/^.{22}/, 'AZoLXH0ufzGKRFtsfY6fAA')],
    ['an id from the future', (id: string) => id.replace(/\.\d+\.\d\./, '.99.4.')],
  ])('begin with the state when the client comes with %s', async (_, forge) => {
    const client = await newClient();
    const job = await client.submit('diagnostics/sleep', { seconds: 0, steps: 1 }, later());
    const first = await EventReader.open(client, `${job}/events`);
    await first.next();
    await first.close();
    const second = await EventReader.open(client, `${job}/events`, {
      'last-event-id': forge(first.lastId),
    });
    expect(await second.next()).toEqual(first.events[0]);
    await second.close();
  });

  it('are spelled as the public Python client reads them', async () => {
    const client = await newClient();
    const job = await client.submit('diagnostics/sleep', { seconds: 0, steps: 1 }, later());
    await client.delete(job);
    const events = await allOf(
      await EventReader.open(client, `${job}/events`, { 'evo-sdk-source': 'evo-compute@v0.0.5' }),
    );
    expect(events[0]?.data.status).toBe('cancelled');
  });

  it('are refused like all else: token, organization, scope, job, Accept', async () => {
    const client = await newClient();
    const job = await client.submit('diagnostics/sleep', { seconds: 0, steps: 1 }, later());
    const path = `${job}/events`;
    const stranger = await newClient();
    const blind = new Client(
      api.url,
      client.org,
      await token(client.org, { scope: 'compute:execute' }),
    );
    expect((await new Client(api.url, client.org, 'x.y').get(path)).status).toBe(401);
    expect((await stranger.get(path)).status).toBe(403);
    expect((await blind.get(path)).status).toBe(403);
    expect((await stranger.get(path.replace(client.org, stranger.org))).status).toBe(404);
    expect((await client.get(path.replace('/sleep/', '/spin/'))).status).toBe(404);
    expect((await client.get(`diagnostics/sleep/${randomUUID()}/events`)).status).toBe(404);
    expect((await client.get('diagnostics/sleep/nothing/events')).status).toBe(404);
    expect((await client.get(path, { accept: 'application/json' })).status).toBe(406);
    const posted = await client.request('POST', path);
    expect(posted.status).toBe(405);
    expect(posted.headers.get('allow')).toContain('GET');
  });

  it('can be read by browsers of the configured origins', async () => {
    const client = await newClient();
    const job = await client.submit('diagnostics/sleep', { seconds: 0, steps: 1 }, later());
    const reader = await EventReader.open(client, `${job}/events`, {
      origin: 'https://console.example',
    });
    expect(reader.headers.get('access-control-allow-origin')).toBe('*');
    await reader.close();
  });

  it('are as many streams as an organization may have; closed ones make room', async () => {
    const client = await newClient();
    const job = await client.submit('diagnostics/sleep', { seconds: 0, steps: 1 }, later());
    const open = () => EventReader.open(client, `${job}/events`);
    const readers = await Promise.all([open(), open(), open()]);
    const refused = await client.get(`${job}/events`);
    expect(refused.status).toBe(429);
    expect(refused.body.type).toMatch(/too-many-requests$/);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    const elsewhere = await newClient();
    const theirs = await elsewhere.submit('diagnostics/sleep', { seconds: 0, steps: 1 }, later());
    await (await EventReader.open(elsewhere, `${theirs}/events`)).close();
    await readers[0]?.close();
    await expect
      .poll(() =>
        open().then(
          (reader) => reader.close(),
          () => 'refused',
        ),
      )
      .toBe(undefined);
    await Promise.all(readers.map((reader) => reader.close()));
  });

  it('end with a word when the token does', async () => {
    const org = randomUUID();
    const client = new Client(api.url, org, await token(org, { expiresIn: 2 }));
    const job = await client.submit('diagnostics/sleep', { seconds: 0, steps: 1 }, later());
    const reader = await EventReader.open(client, `${job}/events`);
    const state = await reader.next();
    expect(await reader.next()).toEqual({ name: 'expired', id: state?.id, data: {} });
    await reader.ended;
  });

  it('end when the replica stops, and go on at another', async () => {
    const client = await newClient();
    const stopping = await startService(database.url, { ROLE: 'api' });
    const job = await client.submit('diagnostics/sleep', { seconds: 0, steps: 1 }, later());
    const there = new Client(stopping.url, client.org, client.token);
    const reader = await EventReader.open(there, `${job}/events`);
    await reader.next();
    const asked = performance.now();
    const ended = stopping.end('SIGTERM');
    expect(await reader.next()).toBe(null);
    expect(performance.now() - asked).toBeLessThan(20_000);
    expect(await ended).toBe(0);
    const second = await EventReader.open(client, `${job}/events`, {
      'last-event-id': reader.lastId,
    });
    await client.delete(job);
    expect((await second.next())?.data.status).toBe('canceled');
    await second.ended;
  });

  it('are not opened by HEAD', async () => {
    const client = await newClient();
    const job = await client.submit('diagnostics/sleep', { seconds: 0, steps: 1 }, later());
    for (let asked = 0; asked < 5; asked += 1) {
      const answer = await client.request('HEAD', `${job}/events`);
      expect(answer.status).toBe(200);
      expect(answer.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    }
    const readers = await Promise.all(
      [1, 2, 3].map(() => EventReader.open(client, `${job}/events`)),
    );
    await Promise.all(readers.map((reader) => reader.close()));
  });
});
