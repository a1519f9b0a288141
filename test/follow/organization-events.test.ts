import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ORGANIZATION_EVENT } from '../../src/jobs/follow/event.schema.js';
import { Client, ownClient } from '../support/client.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { EventReader } from '../support/event-reader.js';
import { type Service, startService } from '../support/service.js';
import { token } from '../support/tokens.js';

let database: TestDatabase;
let api: Service;
let other: Service;
let both: Service;

beforeAll(async () => {
  database = await createTestDatabase();
  [api, other, both] = await Promise.all([
    startService(database.url, { ROLE: 'api' }),
    startService(database.url, { ROLE: 'api' }),
    startService(database.url, { ROLE: 'all', WORKER_SLOTS: '4' }),
  ]);
});
afterAll(async () => {
  await Promise.all([api, other, both].map((service) => service?.stop()));
  await database?.drop();
});

const newClient = (url = api.url) => ownClient(url);

const at = (client: Client, { url }: Service) => new Client(url, client.org, client.token);
const later = () => ({ run_after: new Date(Date.now() + 3_600_000).toISOString() });
const SLEEP = 'diagnostics/sleep';
const isEnded = ({ data }: { data: { links?: object } }) => 'result' in (data.links ?? {});
const idOf = (job: string) => job.split('/').at(-1);

describe('the events of an organization', () => {
  it('are the changes of all of its jobs from now on, from whichever replica they come', async () => {
    const client = await newClient();
    const before = await client.submit(SLEEP, { seconds: 0, steps: 1 });
    await client.ended(before);
    const reader = await EventReader.open(client, 'jobs/events');
    const labels = { project: 'meuse' };
    const jobs = [
      await client.submit(SLEEP, { seconds: 0, steps: 1 }, { labels }),
      await at(client, other).submit(SLEEP, { seconds: 0.3, steps: 1, fail: true }),
      // It starts with its submit, and ends within a millisecond.
      await at(client, both).submit(SLEEP, { seconds: 0, steps: 1 }),
    ];
    for (const _ of jobs) {
      await reader.until(isEnded);
    }
    await reader.close();
    for (const job of jobs) {
      const told = reader.events.filter(({ data }) => data.id === idOf(job));
      expect([...new Set(told.map(({ data }) => data.status))]).toEqual([
        'requested',
        'in progress',
        job === jobs[1] ? 'failed' : 'succeeded',
      ]);
      for (const { data } of told) {
        expect(ORGANIZATION_EVENT.safeParse(data).error).toBeUndefined();
      }
    }
    expect(reader.events.find(isEnded)?.data).toMatchObject({
      topic: 'diagnostics',
      task: 'sleep',
    });
    expect(
      reader.events.find(({ data }) => data.id === idOf(jobs[0] as string))?.data.labels,
    ).toEqual(labels);
    expect(reader.events.map(({ data }) => data.id)).not.toContain(idOf(before));
  });

  it('are of no other organization', async () => {
    const [one, two] = [await newClient(), await newClient()];
    const reader = await EventReader.open(one, 'jobs/events');
    const theirs = await EventReader.open(two, 'jobs/events');
    await two.submit(SLEEP, { seconds: 0, steps: 1 });
    await theirs.until(isEnded);
    const job = await one.submit(SLEEP, { seconds: 0, steps: 1 });
    await reader.until(isEnded);
    expect(new Set(reader.events.map(({ data }) => data.id))).toEqual(new Set([idOf(job)]));
    await Promise.all([reader.close(), theirs.close()]);
    expect((await two.get(`/compute/orgs/${one.org}/jobs/events`)).status).toBe(403);
  });

  it.each<[string, (labels: { project: string }) => boolean, string[]]>([
    ['status=succeeded', () => true, ['succeeded']],
    ['exclude_status=requested&exclude_status=in progress', () => true, ['succeeded']],
    [
      'label=project:a',
      ({ project }) => project === 'a',
      ['requested', 'in progress', 'succeeded'],
    ],
    ['exclude_label=project:a&status=succeeded', ({ project }) => project !== 'a', ['succeeded']],
    ['topic=diagnostics&task=spin', () => false, []],
    ['exclude_task=diagnostics/sleep', () => false, []],
    ['q=B&status=succeeded', ({ project }) => project === 'b', ['succeeded']],
  ])('are those that the filter %j takes', async (query, isTaken, statuses) => {
    const client = await newClient();
    const all = await EventReader.open(client, 'jobs/events');
    const some = await EventReader.open(client, `jobs/events?${query.replaceAll(' ', '%20')}`);
    const projects = ['a', 'b'];
    const jobs = await Promise.all(
      projects.map((project) =>
        client.submit(SLEEP, { seconds: 0, steps: 1 }, { labels: { project } }),
      ),
    );
    const told = (job: string) => [
      ...new Set(
        some.events.filter(({ data }) => data.id === idOf(job)).map(({ data }) => data.status),
      ),
    ];
    await all.until(isEnded);
    await all.until(isEnded);
    for (const [index, job] of jobs.entries()) {
      const expected = isTaken({ project: projects[index] as string }) ? statuses : [];
      await expect.poll(() => told(job)).toEqual(expected);
    }
    await Promise.all([all.close(), some.close()]);
  });

  it.each([
    'status=lost',
    'task=sleep',
    'created_after=2026-01-01T00:00:00Z',
    'limit=5',
    'cursor=x',
    'nothing=1',
    'topic=a&topic=b',
    'label=x',
  ])('are refused with the query %s', async (query) => {
    const client = await newClient();
    const answer = await client.get(`jobs/events?${query}`);
    expect(answer.status).toBe(400);
    expect(answer.body['invalid-params']).toHaveLength(1);
  });

  it.each([
    ['the same replica', () => api],
    ['another', () => other],
  ])('go on at %s, if that was less than a minute ago', async (_, service) => {
    const client = await newClient();
    const reader = await EventReader.open(client, 'jobs/events');
    const first = await client.submit(SLEEP, { seconds: 0, steps: 1 });
    await reader.until(isEnded);
    await reader.close();
    const second = await client.submit(SLEEP, { seconds: 0, steps: 1 });
    await client.ended(second);
    const again = await EventReader.open(at(client, service()), 'jobs/events', {
      'last-event-id': reader.lastId,
    });
    expect(await again.next()).toMatchObject({
      name: 'status',
      data: { id: idOf(second), status: 'succeeded' },
    });
    const third = await client.submit(SLEEP, { seconds: 0, steps: 1 });
    expect((await again.until(isEnded)).data.id).toBe(idOf(third));
    await again.close();
    expect(again.events.map(({ data }) => data.id)).not.toContain(idOf(first));
    // Behind the end of the third nothing has happened.
    const idle = await EventReader.open(at(client, service()), 'jobs/events', {
      'last-event-id': again.lastId,
    });
    const fourth = await client.submit(SLEEP, { seconds: 0, steps: 1 }, later());
    expect((await idle.next())?.data.id).toBe(idOf(fourth));
    await idle.close();
  });

  it('go on for a client that lost its stream before anything happened', async () => {
    const client = await newClient();
    const reader = await EventReader.open(client, 'jobs/events');
    await expect.poll(() => reader.lastId).not.toBe('');
    await reader.close();
    const job = await client.submit(SLEEP, { seconds: 0, steps: 1 });
    await client.ended(job);
    const again = await EventReader.open(at(client, other), 'jobs/events', {
      'last-event-id': reader.lastId,
    });
    expect(await again.next()).toMatchObject({ data: { id: idOf(job), status: 'succeeded' } });
    await again.close();
  });

  it.each([
    ['of more than a minute ago', () => `${(Date.now() - 120_000) * 1_000}.1`, true],
    ['of long ago', () => '1.1', true],
    ['from the future', () => `${(Date.now() + 120_000) * 1_000}.1`, false],
    ['that is garbage', () => "1' OR 1=1", false],
    ['of a job', () => 'AZoLXH0ufzGKRFtsfY6fAA.1.4.100.abc', false],
  ])('with an id %s begin anew', async (_, id, isReset) => {
    const client = await newClient();
    const reader = await EventReader.open(client, 'jobs/events', { 'last-event-id': id() });
    const job = await client.submit(SLEEP, { seconds: 0, steps: 1 }, later());
    const first = await reader.next();
    if (isReset) {
      expect(first).toMatchObject({
        name: 'reset',
        data: {},
        id: expect.stringMatching(/^\d+\.0$/),
      });
      expect((await reader.next())?.data.id).toBe(idOf(job));
    } else {
      expect(first?.data.id).toBe(idOf(job));
    }
    await reader.close();
  });

  it('say so when hints may have been lost, and go on', async () => {
    const client = await newClient();
    const reader = await EventReader.open(client, 'jobs/events');
    const job = await client.submit(SLEEP, { seconds: 0, steps: 1 }, later());
    await reader.next();
    await endListeningConnections();
    await reader.until(({ name }) => name === 'reset');
    await client.delete(job);
    expect((await reader.next())?.data).toMatchObject({ id: idOf(job), status: 'canceled' });
    await reader.close();
  });

  it('leave nothing behind when the client goes away while they are being opened', async () => {
    const few = await startService(database.url, { ROLE: 'api', MAX_STREAMS_ORG: '6' });
    const client = await newClient(few.url);
    for (let times = 0; times < 6; times += 1) {
      const gone = client.request('GET', 'jobs/events', { signal: AbortSignal.timeout(10) });
      await expect(gone).rejects.toThrow();
    }
    const readers: EventReader[] = [];
    await expect
      .poll(async () => {
        const reader = await EventReader.open(client, 'jobs/events').catch(() => null);
        return readers.push(...(reader === null ? [] : [reader]));
      })
      .toBe(6);
    const job = await client.submit(SLEEP, { seconds: 0, steps: 1 }, later());
    for (const reader of readers) {
      // A replica that has just begun to listen may say `reset` first.
      await reader.until(({ data }) => data.id === idOf(job));
      await reader.close();
    }
    await few.stop();
  });

  it('end with a word when the token does', async () => {
    const org = randomUUID();
    const client = new Client(api.url, org, await token(org, { expiresIn: 2 }));
    const reader = await EventReader.open(client, 'jobs/events');
    expect(await reader.next()).toMatchObject({ name: 'expired', data: {} });
    await reader.ended;
  });

  it('leave the routes beside them as they were', async () => {
    const client = await newClient();
    const posted = await client.execute('jobs/events', { parameters: {} });
    expect([404, 405]).toContain(posted.status);
    expect((await client.delete('jobs/events')).status).toBe(405);
    expect((await client.get('jobs/elsewhere')).status).toBe(404);
  });
});

/** Cuts off every connection that listens, as an operator or a failover would. */
async function endListeningConnections(): Promise<void> {
  const owner = new pg.Client({ connectionString: database.url });
  await owner.connect();
  const { rowCount } = await owner.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND (query LIKE 'LISTEN%' OR query = 'SELECT 1')`,
  );
  await owner.end();
  expect(rowCount).toBeGreaterThan(0);
}
