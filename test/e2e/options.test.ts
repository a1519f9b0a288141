import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LimitsStore } from '../../src/jobs/limits/limits.store.js';
import { Database } from '../../src/platform/database/database.js';
import { Client } from '../support/client.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { type Service, startService } from '../support/service.js';
import { token } from '../support/tokens.js';

const HOUR_MS = 3_600_000;

describe('the options of execute', () => {
  let database: TestDatabase;
  let service: Service;
  let client: Client;

  beforeAll(async () => {
    database = await createTestDatabase();
    service = await startService(database.url, { WORKER_SLOTS: '4' });
    const org = randomUUID();
    client = new Client(service.url, org, await token(org));
  });
  afterAll(async () => {
    await service?.stop();
    await database?.drop();
  });

  const execute = (parameters: object, options: unknown) =>
    client.execute('diagnostics/sleep', { parameters, options });

  const submit = async (parameters: object, options: object): Promise<string> => {
    const answer = await execute(parameters, options);
    expect(answer.status).toBe(303);
    return (answer.headers.get('location') as string).replace(/\/status$/, '');
  };

  it('are shown in the detail of the job', async () => {
    const runAfter = new Date(Date.now() + HOUR_MS);
    const job = await submit(
      { seconds: 0 },
      {
        priority: -7,
        run_after: runAfter.toISOString(),
        expires_after: 60,
        timeout: 30,
        max_attempts: 100,
        labels: { project: 'meuse', 'run/1': 'ä' },
      },
    );
    const { status, body } = await client.get(`${job}/detail`);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      id: job.split('/').at(-1),
      topic: 'diagnostics',
      task: 'sleep',
      status: 'requested',
      progress: 0,
      labels: { project: 'meuse', 'run/1': 'ä' },
      priority: -7,
      attempt: 0,
      // Capped by the task's own.
      max_attempts: 1,
      failures: 0,
      crashes: 0,
      timeout: 30,
      run_after: runAfter.toISOString(),
      expires_at: new Date(runAfter.getTime() + 60_000).toISOString(),
      started_at: null,
      ended_at: null,
      attempts: [],
    });
    expect(body.links).toEqual({
      status: `${service.url}${job}/status`,
      cancel: service.url + job,
    });
    expect((await client.delete(job)).status).toBe(204);
  });

  it('a job with a run_after is not started before', async () => {
    const runAfter = Date.now() + 1_500;
    const job = await submit({ seconds: 0 }, { run_after: new Date(runAfter).toISOString() });
    await client.ended(job);
    const { body } = await client.get(`${job}/detail`);
    expect(Date.parse(body.started_at)).toBeGreaterThanOrEqual(runAfter);
  });

  it('null is as good as absent, for all of them and for each', async () => {
    const nothing = {
      priority: null,
      run_after: null,
      expires_after: null,
      timeout: null,
      max_attempts: null,
      labels: null,
    };
    const plain = (await client.get(`${await submit({ seconds: 0 }, {})}/detail`)).body;
    for (const options of [null, {}, nothing]) {
      const { text } = await client.execute('diagnostics/sleep', {
        parameters: { seconds: 0 },
        options,
      });
      expect(text).toBe('');
    }
    const { body } = await client.get(`${await submit({ seconds: 0 }, nothing)}/detail`);
    for (const name of [
      'priority',
      'max_attempts',
      'timeout',
      'run_after',
      'expires_at',
      'labels',
    ]) {
      expect([name, body[name]]).toEqual([name, plain[name]]);
    }
  });

  it('a run_after that is past by no more than clocks differ is now', async () => {
    const runAfter = new Date(Date.now() - 240_000).toISOString();
    const job = await submit({ seconds: 0 }, { run_after: runAfter });
    expect((await client.ended(job)).status).toBe('succeeded');
  });

  it('a timeout shorter than the task’s own fails the attempt', async () => {
    const job = await submit({ seconds: 60 }, { timeout: 1 });
    const { status, error } = await client.ended(job);
    expect(status).toBe('failed');
    expect(error.type).toMatch(/\/task-timeout$/);
    expect(error.detail).toContain('1 seconds');
  });

  it('a job that nobody starts in time fails, and its detail says that it never ran', async () => {
    const stranger = await submit(
      { seconds: 0 },
      { expires_after: 1, run_after: '2026-01-01T00:00:00Z' },
    ).catch(() => null);
    // A time that is past by more than clocks differ is refused: it is a mistake.
    expect(stranger).toBeNull();
    const connection = new pg.Client(database.url);
    await connection.connect();
    await connection.query(`INSERT INTO task_limits VALUES ('diagnostics', 'sleep', 0)`);
    try {
      const job = await submit({ seconds: 0 }, { expires_after: 1 });
      const { error } = await client.ended(job);
      expect(error.type).toMatch(/\/job-expired$/);
      const { body } = await client.get(`${job}/detail`);
      expect(body).toMatchObject({ status: 'failed', attempt: 0, attempts: [] });
    } finally {
      await connection.query('DELETE FROM task_limits');
      await connection.end();
    }
  });

  it.each([
    ['not an object', [], 'options', 'must be an object'],
    ['a text', 'none', 'options', 'must be an object'],
    ['unknown', { prio: 1 }, 'options.prio', 'is not a known member'],
    ['reserved', { callback: 'https://example.org' }, 'options.callback', 'is not a known member'],
    ['out of range', { priority: 1e9 }, 'options.priority', /whole number from -100 to 100/],
    ['no whole number', { priority: 0.5 }, 'options.priority', /whole number/],
    ['a time long past', { run_after: '1970-01-01T00:00:00Z' }, 'options.run_after', /in the past/],
    [
      'a time past by six minutes',
      { run_after: new Date(Date.now() - 360_000).toISOString() },
      'options.run_after',
      /is in the past by the clock of the service/,
    ],
    ['a label that is null', { labels: { a: null } }, 'options.labels.a', 'must be a string'],
    ['the far future', { run_after: '9999-01-01T00:00:00Z' }, 'options.run_after', /a time like/],
    ['without offset', { run_after: '2026-12-01T00:00:00' }, 'options.run_after', /a time like/],
    ['beyond time', { run_after: '+275760-09-13T00:00:00Z' }, 'options.run_after', /a time like/],
    ['a negative wait', { expires_after: -1 }, 'options.expires_after', /whole number from 1/],
    ['no time to run', { timeout: 0 }, 'options.timeout', /whole number from 1/],
    ['no attempts', { max_attempts: 0 }, 'options.max_attempts', /whole number from 1 to 100/],
    [
      'a label’s name',
      { labels: { 'a:b': 'x' } },
      'options.labels["a:b"]',
      /must have a name like/,
    ],
    ['a label’s type', { labels: { a: 1 } }, 'options.labels.a', 'must be a string'],
    ['a long label', { labels: { a: 'x'.repeat(64) } }, 'options.labels.a', /at most 63/],
    [
      'many labels',
      { labels: Object.fromEntries(Array.from({ length: 17 }, (_, index) => [`l${index}`, ''])) },
      'options.labels',
      /at most 16/,
    ],
  ])('%s is refused with its place', async (_, options, name, reason) => {
    const answer = await execute({ seconds: 0 }, options);
    expect(answer.status).toBe(422);
    expect(answer.body.type).toMatch(/\/invalid-parameters$/);
    expect(answer.body['invalid-params'][0].name).toBe(name);
    expect(answer.body['invalid-params'][0].reason).toMatch(reason);
  });
});

describe('the limit on unstarted jobs', () => {
  let database: TestDatabase;
  let service: Service;
  let limits: LimitsStore;
  let connection: Database;

  beforeAll(async () => {
    database = await createTestDatabase();
    service = await startService(database.url, { ROLE: 'api' });
    connection = new Database({
      url: database.url,
      requestRole: 'headframe_operator',
      poolSize: 2,
    });
    limits = new LimitsStore(connection, 'operator test');
  });
  afterAll(async () => {
    await connection?.onApplicationShutdown();
    await service?.stop();
    await database?.drop();
  });

  const clientOf = async (org: string) => new Client(service.url, org, await token(org));
  const submit = (client: Client, options = {}) =>
    client.execute('diagnostics/sleep', { parameters: { seconds: 0 }, options });

  it('refuses more with 429 and Retry-After, delayed ones too, and leaves others alone', async () => {
    const org = randomUUID();
    const client = await clientOf(org);
    await limits.setOrganization(org, { maxUnstarted: 3 });
    const later = new Date(Date.now() + HOUR_MS).toISOString();
    const answers = await Promise.all([
      submit(client),
      submit(client, { run_after: later }),
      ...Array.from({ length: 8 }, () => submit(client)),
    ]);
    expect(answers.filter(({ status }) => status === 303)).toHaveLength(3);
    const [refused] = answers.filter(({ status }) => status === 429);
    expect(refused?.body.type).toMatch(/\/too-many-requests$/);
    expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await submit(await clientOf(randomUUID()))).status).toBe(303);
  });

  it('lets jobs in again when there is room', async () => {
    const org = randomUUID();
    const client = await clientOf(org);
    await limits.setOrganization(org, { maxUnstarted: 1 });
    const first = (await submit(client)).headers.get('location') as string;
    expect((await submit(client)).status).toBe(429);
    await client.delete(first.replace(/\/status$/, ''));
    await expect.poll(async () => (await submit(client)).status, { timeout: 5_000 }).toBe(303);
  });
});
