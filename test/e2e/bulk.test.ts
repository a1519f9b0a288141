import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Client, ownClient } from '../support/client.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { Engine } from '../support/jobs.js';
import { type Service, startService } from '../support/service.js';

const ALL = 'compute:read compute:execute compute:admin';
const JSON_BODY = { 'content-type': 'application/json' };

describe('acts on many jobs', () => {
  let database: TestDatabase;
  let service: Service;
  let engine: Engine;

  beforeAll(async () => {
    database = await createTestDatabase();
    service = await startService(database.url, {
      WORKER_SLOTS: '20',
      RATE_LIMIT_SUBMITS: '100000',
    });
    engine = Engine.on(database.url);
  });
  afterAll(async () => {
    await service?.stop();
    await engine?.close();
    await database?.drop();
  });

  const client = (scope = ALL) => ownClient(service.url, scope);
  const act = (of: Client, name: string, body: unknown) =>
    of.request('POST', `jobs/${name}`, {
      headers: JSON_BODY,
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  const batch = async (of: Client, count: number, options = {}, seconds = 0): Promise<string[]> => {
    const { body } = await of.execute('diagnostics/sleep/batch', {
      parameters: Array.from({ length: count }, () => ({ seconds })),
      options,
    });
    return body.results.map(({ id }: { id: string }) => id);
  };
  const settled = async (of: Client): Promise<void> => {
    await expect
      .poll(async () => Object.keys((await of.get('jobs/summary')).body.by_status), {
        timeout: 20_000,
      })
      .toEqual(['succeeded']);
  };

  it('cancels what a filter takes, beyond any page, and counts first when asked to', async () => {
    const mine = await client();
    await engine.limits.setOrganization(mine.org, { maxRunning: 0 });
    await batch(mine, 1_000, { labels: { run: 'a' } });
    await batch(mine, 200, { labels: { run: 'a' } });
    await batch(mine, 3);
    const selection = { filter: { label: ['run:a'] } };
    expect((await act(mine, 'cancel', { ...selection, dry_run: true })).body).toEqual({
      matched: 1_200,
      changed: 0,
      more: false,
    });
    expect((await act(mine, 'cancel', selection)).body).toEqual({
      matched: 1_200,
      changed: 1_200,
      more: false,
    });
    expect((await mine.get('jobs/summary')).body.by_status).toEqual({
      canceled: 1_200,
      requested: 3,
    });
    expect((await act(mine, 'cancel', selection)).body).toMatchObject({ matched: 0, changed: 0 });
  });

  it('cancels jobs that wait and jobs that run, by their ids', async () => {
    const mine = await client();
    const ids = await batch(mine, 3, {}, 30);
    await expect
      .poll(async () => (await mine.get('jobs?status=in progress')).body.results.length)
      .toBe(3);
    const stranger = await client();
    expect((await act(stranger, 'cancel', { ids })).body).toMatchObject({ matched: 0, changed: 0 });
    expect((await act(mine, 'cancel', { ids: [...ids, randomUUID()] })).body).toEqual({
      matched: 3,
      changed: 3,
      more: false,
    });
    await expect
      .poll(async () => (await mine.get('jobs/summary')).body.by_status)
      .toEqual({ canceled: 3 });
  });

  it('does at most ten thousand, and goes on when it is asked again', async () => {
    const mine = await client();
    await engine.limits.setOrganization(mine.org, { maxRunning: 0 });
    await engine.owner.query(
      `WITH job AS MATERIALIZED (SELECT gen_random_uuid() AS id FROM generate_series(1, 10100)), queued AS (
         INSERT INTO job_queue (job_id, org_id, topic, task)
         SELECT id, $1, 'diagnostics', 'sleep' FROM job)
       INSERT INTO job_submissions (id, org_id, topic, task)
       SELECT id, $1, 'diagnostics', 'sleep' FROM job`,
      [mine.org],
    );
    const selection = { filter: { topic: 'diagnostics' } };
    expect((await act(mine, 'cancel', selection)).body).toEqual({
      matched: 10_000,
      changed: 10_000,
      more: true,
    });
    expect((await act(mine, 'cancel', selection)).body).toEqual({
      matched: 100,
      changed: 100,
      more: false,
    });
  });

  it('deletes ended jobs and leaves the others', async () => {
    const mine = await client();
    await batch(mine, 5);
    await settled(mine);
    await engine.limits.setOrganization(mine.org, { maxRunning: 0 });
    const waiting = await batch(mine, 2);
    expect((await act(mine, 'purge', { filter: { topic: 'diagnostics' } })).body).toEqual({
      matched: 5,
      changed: 5,
      more: false,
    });
    const left = (await mine.get('jobs')).body.results.map(({ id }: { id: string }) => id);
    expect(left).toEqual(waiting.toReversed());
  });

  it('runs ended jobs again: the same parameters, options and labels, in the same order', async () => {
    const mine = await client();
    const options = {
      priority: 7,
      timeout: 50,
      expires_after: 600,
      labels: { run: 'a', 'rerun-of': 'x' },
    };
    const ids = await batch(mine, 3, options, 0.01);
    await settled(mine);
    await engine.limits.setOrganization(mine.org, { maxRunning: 0 });
    expect((await act(mine, 'rerun', { ids })).body).toMatchObject({ matched: 3, changed: 3 });
    const again = (await mine.get('jobs?status=requested')).body.results;
    expect(again).toMatchObject(
      ids
        .toReversed()
        .map((id) => ({ priority: 7, labels: { run: 'a', 'rerun-of': id }, status: 'requested' })),
    );
    const detail = (await mine.get(`diagnostics/sleep/${again[0].id}/detail`)).body;
    expect(detail).toMatchObject({ timeout: 50, expires_at: expect.any(String) });
    const path = `diagnostics/sleep/${again[0].id}/parameters`;
    expect((await mine.get(path)).body).toEqual({ parameters: { seconds: 0.01 } });
  });

  it('runs large parameters again without losing a byte', async () => {
    const mine = await client();
    const source = {
      coordinates: Array.from({ length: 600 }, (_, index) => [index, (index * 7) % 600]),
      values: Array.from({ length: 600 }, (_, index) => Math.sin(index)),
    };
    const first = await mine.execute('geostatistics/variogram', {
      parameters: { source, lag: 50, cutoff: 400 },
    });
    expect(first.status).toBe(303);
    const job = (first.headers.get('location') as string).replace(/\/status$/, '');
    await mine.ended(job);
    const answer = await mine.request('POST', `${job}/rerun`);
    expect(answer.status).toBe(303);
    const again = (answer.headers.get('location') as string).replace(/\/status$/, '');
    await mine.ended(again);
    const [before, after] = await Promise.all([job, again].map((each) => mine.get(each)));
    const timeless = ({ text }: { text: string }) => text.replace(/"seconds":[\d.]+/, '');
    expect(timeless(after!)).toBe(timeless(before!));
    const digests = await Promise.all(
      [job, again].map(async (each) => (await mine.get(`${each}/detail`)).body.parameters_sha256),
    );
    expect(digests[0]).toBe(digests[1]);
  });

  it('runs one job again, with other parameters or options when they are given', async () => {
    const mine = await client();
    const job = await mine.submit('diagnostics/sleep', { seconds: 0 }, { labels: { run: 'a' } });
    await mine.ended(job);
    const again = async (body?: unknown, headers = {}) => {
      const answer = await mine.request('POST', `${job}/rerun`, {
        headers: { ...(body === undefined ? {} : JSON_BODY), ...headers },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      return { answer, path: answer.headers.get('location')?.replace(/\/status$/, '') ?? '' };
    };
    const changed = await again({ parameters: { seconds: 0.02 } });
    expect((await mine.get(`${changed.path}/parameters`)).body.parameters).toEqual({
      seconds: 0.02,
    });
    expect((await mine.get(`${changed.path}/detail`)).body.labels).toEqual({
      run: 'a',
      'rerun-of': job.split('/').at(-1),
    });
    const hurried = await again({ options: { priority: 9 } });
    expect((await mine.get(`${hurried.path}/detail`)).body).toMatchObject({
      priority: 9,
      labels: { 'rerun-of': job.split('/').at(-1) },
    });
    expect((await again({ parameters: { seconds: -1 } })).answer.status).toBe(422);
    expect((await again({ options: { priority: 900 } })).answer.status).toBe(422);
    expect((await again([])).answer.status).toBe(422);
    const key = { 'idempotency-key': randomUUID() };
    const one = await again(undefined, key);
    expect((await again(undefined, key)).path).toBe(one.path);
    expect((await again({}, key)).answer.status).toBe(422);
  });

  it('does not run again what has not ended, or is not there', async () => {
    const mine = await client();
    await engine.limits.setOrganization(mine.org, { maxRunning: 0 });
    const job = await mine.submit('diagnostics/sleep', { seconds: 0 });
    expect((await mine.request('POST', `${job}/rerun`)).status).toBe(409);
    const nowhere = job.replace(/[^/]+$/, randomUUID());
    expect((await mine.request('POST', `${nowhere}/rerun`)).status).toBe(404);
    const stranger = await client();
    const foreign = `diagnostics/sleep/${job.split('/').at(-1)}/rerun`;
    expect((await stranger.request('POST', foreign)).status).toBe(404);
  });

  it('notes each act once with its filter and its counts, and each job besides', async () => {
    const mine = await client();
    await engine.limits.setOrganization(mine.org, { maxRunning: 0 });
    const ids = await batch(mine, 2, { labels: { run: 'b' } });
    await act(mine, 'cancel', { filter: { label: ['run:b'] } });
    const { body } = await mine.get('audit');
    expect(body.results).toMatchObject([
      {
        action: 'jobs.cancel',
        job_id: null,
        detail: { filter: { label: ['run:b'] }, matched: 2, changed: 2, more: false },
      },
      { action: 'job.cancel', job_id: ids[1] },
      { action: 'job.cancel', job_id: ids[0] },
      { action: 'jobs.submit', detail: { jobs: 2, first: ids[0], last: ids[1] } },
      { action: 'limits.change' },
    ]);
  });

  it.each([
    ['{}', 'ids'],
    ['{"filter":{}}', 'filter'],
    ['{"filter":{"status":[]}}', 'filter'],
    ['{"ids":[]}', 'ids'],
    ['{"ids":["x"]}', 'ids[0]'],
    ['{"ids":["5eed0000-0000-4000-8000-000000000001"],"filter":{"topic":"a"}}', 'ids'],
    ['{"filter":{"task":"a"}}', 'filter.task'],
    ['{"filter":{"colour":"red"}}', 'filter.colour'],
    ['{"filter":{"status":"failed"}}', 'filter.status'],
    ['{"filter":{"topic":"a"},"dry_run":"yes"}', 'dry_run'],
    [JSON.stringify({ ids: Array.from({ length: 1_001 }, () => randomUUID()) }), 'ids'],
    ['[]', ''],
    ['null', ''],
  ])('refuses %.60s', async (body, name) => {
    const mine = await client();
    for (const each of ['cancel', 'purge', 'rerun']) {
      const answer = await act(mine, each, body);
      expect({ status: answer.status, names: answer.body['invalid-params'] }).toMatchObject({
        status: 422,
        names: expect.arrayContaining([expect.objectContaining({ name })]),
      });
    }
  });

  it('is for those who may', async () => {
    const reader = await client('compute:read');
    const user = await client('compute:read compute:execute');
    const body = { ids: [randomUUID()] };
    expect((await act(reader, 'cancel', body)).status).toBe(403);
    expect((await act(reader, 'rerun', body)).status).toBe(403);
    expect((await act(user, 'purge', body)).status).toBe(403);
    expect((await act(user, 'cancel', body)).status).toBe(200);
  });
});

describe('a batch', () => {
  let database: TestDatabase;
  let service: Service;
  let engine: Engine;

  beforeAll(async () => {
    database = await createTestDatabase();
    service = await startService(database.url, { ROLE: 'api' });
    engine = Engine.on(database.url);
  });
  afterAll(async () => {
    await service?.stop();
    await engine?.close();
    await database?.drop();
  });

  const client = () => ownClient(service.url, ALL);
  const send = (of: Client, body: unknown, headers = {}) =>
    of.execute('diagnostics/sleep/batch', body, headers);
  const total = async (of: Client): Promise<number> => (await of.get('jobs/summary')).body.total;
  const seconds = (count: number) => Array.from({ length: count }, () => ({ seconds: 0 }));

  it('makes a job of each, in the order sent', async () => {
    const mine = await client();
    const { status, body } = await send(mine, {
      parameters: [{ seconds: 1 }, { seconds: 2 }, { seconds: 3 }],
    });
    expect(status).toBe(200);
    const parameters = await Promise.all(
      body.results.map(
        async ({ links }: { links: { result: string } }) =>
          (await mine.get(`${new URL(links.result).pathname}/parameters`)).body.parameters,
      ),
    );
    expect(parameters).toEqual([{ seconds: 1 }, { seconds: 2 }, { seconds: 3 }]);
  });

  it('makes none when one is wrong, and names every wrong place', async () => {
    const mine = await client();
    const parameters = [{ seconds: 0 }, { seconds: -1 }, 7, { second: 1 }];
    const { status, body } = await send(mine, { parameters });
    expect(status).toBe(422);
    expect(body['invalid-params'].map(({ name }: { name: string }) => name)).toEqual([
      'parameters[1].seconds',
      'parameters[2]',
      'parameters[3].seconds',
      'parameters[3].second',
    ]);
    expect(await total(mine)).toBe(0);
  });

  it.each([
    ['of none', { parameters: [] }],
    ['of 1,001', { parameters: seconds(1_001) }],
    ['that is no array', { parameters: {} }],
    ['without parameters', {}],
    ['with wrong options', { parameters: seconds(1), options: { priority: 1e9 } }],
  ])('%s is refused whole', async (_, body) => {
    const mine = await client();
    expect((await send(mine, body)).status).toBe(422);
    expect(await total(mine)).toBe(0);
  });

  it('of 1,000 is stored whole, and the same key stands for the same jobs', async () => {
    const mine = await client();
    const key = { 'idempotency-key': 'one' };
    const body = { parameters: seconds(1_000) };
    const [one, other] = await Promise.all([send(mine, body, key), send(mine, body, key)]);
    expect(one.status).toBe(200);
    expect(other.body).toEqual(one.body);
    expect(one.body.results).toHaveLength(1_000);
    expect(await total(mine)).toBe(1_000);
    expect((await send(mine, { parameters: seconds(2) }, key)).status).toBe(422);
  });

  it('counts as many submits: within the limits whole, or not at all', async () => {
    const mine = await client();
    await engine.limits.setOrganization(mine.org, { maxUnstarted: 15, submitsPerMinute: 100 });
    expect((await send(mine, { parameters: seconds(101) })).status).toBe(429);
    expect((await send(mine, { parameters: seconds(16) })).status).toBe(429);
    expect(await total(mine)).toBe(0);
    expect((await send(mine, { parameters: seconds(15) })).status).toBe(200);
    await engine.limits.setOrganization(mine.org, { maxUnstarted: null });
    const refused = await send(mine, { parameters: seconds(90) });
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await total(mine)).toBe(15);
  });

  it('as large as a body may be is stored, and one byte more is too large', async () => {
    const mine = await client();
    const body = (bytes: number) => `{"parameters":[{"seconds":0}]${' '.repeat(bytes - 30)}}`;
    const limit = 8 * 1024 * 1024;
    const before = body(limit);
    expect(Buffer.byteLength(before)).toBe(limit);
    expect((await send(mine, before)).status).toBe(200);
    expect((await send(mine, body(limit + 1))).status).toBe(413);
    expect((await send(mine, body(2 * limit))).status).toBe(413);
  });

  it('of a task that is not there is 404, and its address takes nothing but POST', async () => {
    const mine = await client();
    expect((await mine.execute('diagnostics/nap/batch', { parameters: [{}] })).status).toBe(404);
    expect((await mine.get('diagnostics/sleep/batch')).status).toBe(404);
  });
});
