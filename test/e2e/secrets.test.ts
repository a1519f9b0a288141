import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Client } from '../support/client.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { echoTasksFolder } from '../support/echo-tasks.js';
import { RowCount } from '../support/problems.js';
import { rawRequest, sendRaw } from '../support/raw-http.js';
import { type Service, startService } from '../support/service.js';
import { TEST_SECRET, token } from '../support/tokens.js';

/** In everything that a client or a task says; the log must have it nowhere. */
const CANARY = 'x7q-canary';
/** What moves cursors, ends lines, or begins a line of its own in a log that lets it. */
const INJECTION = '\n{"level":60,"msg":"forged"}\r\n\u001b[2J\u009b31m\u2028';

describe('the log, even at level trace', () => {
  const org = randomUUID();
  let folder: string;
  let database: TestDatabase;
  let service: Service;
  let rows: RowCount;
  let client: Client;
  let password: string;

  beforeAll(async () => {
    folder = echoTasksFolder();
    database = await createTestDatabase();
    service = await startService(database.url, { TASKS_DIR: folder, LOG_LEVEL: 'trace' });
    rows = await RowCount.open(database.url);
    client = new Client(service.url, org, await token(org, { claims: { jti: CANARY } }));
    password = new URL(database.url).password;
    await story();
  });

  afterAll(async () => {
    await rows?.close();
    await service?.stop();
    await database?.drop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** All that can become of jobs, good and bad requests, and a database that refuses what is stored. */
  async function story(): Promise<void> {
    const headers = { 'idempotency-key': CANARY, 'user-agent': CANARY, cookie: CANARY };
    const body = (text: string) => ({
      parameters: { text },
      options: { labels: { [CANARY]: CANARY } },
      [CANARY]: CANARY,
    });
    const jobs: string[] = [];
    for (const task of ['echo', 'refuse', 'crash']) {
      const answer = await client.execute(`test/${task}?${CANARY}`, body(CANARY), headers);
      expect(answer.status).toBe(303);
      jobs.push((answer.headers.get('location') as string).replace(/\/status$/, ''));
    }
    jobs.push(await client.submit('test/echo', { text: `${CANARY}${INJECTION}` }));
    jobs.push(await client.submit('diagnostics/sleep', { seconds: 0, fail: true }));
    const canceled = await client.submit('diagnostics/sleep', { seconds: 60 });
    await client.delete(`${canceled}?${CANARY}`);
    const ends = await Promise.all([...jobs, canceled].map((job) => client.ended(job)));
    expect(ends.map(({ status }) => status)).toEqual([
      'succeeded',
      'failed',
      'failed',
      'succeeded',
      'failed',
      'canceled',
    ]);
    expect((await client.get(jobs[0] as string)).body.results).toEqual({ text: CANARY });
    expect((await client.get(jobs[1] as string)).body.error.detail).toBe(CANARY);
    expect((await client.get(`${jobs[2]}/logs`)).text).toContain(CANARY);

    for (const text of [`{"parameters": ${CANARY}`, `{"parameters": {"${CANARY}": 1}}`]) {
      expect((await client.execute('test/echo', text)).status).toBeGreaterThan(399);
    }
    for (const authorization of [
      `Bearer ${CANARY}`,
      `Basic ${CANARY}`,
      `Bearer ${client.token}x`,
    ]) {
      expect((await client.get('tasks', { authorization })).status).toBe(401);
    }
    await sendRaw(service.url, `${CANARY}\r\n\r\n`);

    // PostgreSQL tells the whole row that a CHECK refuses.
    await rows.connection.query(
      'ALTER TABLE job_submissions ADD CONSTRAINT refuse_all CHECK (org_id IS NULL) NOT VALID',
    );
    expect((await client.execute('test/echo', body(CANARY))).status).toBe(500);
    await vi.waitFor(() => expect(service.log()).toContain('refuse_all'));
  }

  it('has each transition, and the failure with its cause', () => {
    const transitions = new Set(service.logLines().map(({ transition }) => transition));
    expect([...transitions]).toEqual(
      expect.arrayContaining(['create', 'claim', 'succeed', 'fail', 'requestCancel']),
    );
    const failure = service.logLines().find(({ msg }) => msg === 'a request failed');
    expect(JSON.stringify(failure)).toContain('refuse_all');
  });

  it('has no token, parameter, result, label, message, query, header or key of a client', () => {
    expect(service.log()).not.toContain(CANARY);
    expect(service.log()).not.toContain(client.token);
    expect(service.log()).not.toContain(client.token.split('.')[1]);
  });

  it('has the settings in force, and no secret of them', () => {
    const starting = service.logLines().find(({ msg }) => msg === 'starting');
    expect(starting?.settings).toMatchObject({
      LOG_LEVEL: 'trace',
      ROLE: 'all',
      AUTH_JWT_SECRET: 'set',
      DATABASE_URL: expect.stringMatching(/^postgres(ql)?:\/\/[\w.:[\]]+\/test_\w+$/),
    });
    expect(password.length).toBeGreaterThan(8);
    expect(service.log()).not.toContain(password);
    expect(service.log()).not.toContain(TEST_SECRET);
  });

  it('is one JSON object a line, whatever a path or a header has in it', async () => {
    const authorization = `Authorization: Bearer ${client.token}`;
    for (const target of ['/%0a{"level":60}', '/%1b[2J']) {
      await sendRaw(
        service.url,
        rawRequest(`GET ${target} HTTP/1.1`, ['Host: a', authorization, 'User-Agent: \x9b2J']),
      );
    }
    await sendRaw(service.url, rawRequest('GET /last HTTP/1.1', ['Host: a', 'X-Request-Id: last']));
    await expect.poll(() => service.log()).toContain('"request":"last"');
    const lines = service.log().trimEnd().split('\n');
    for (const line of lines) {
      expect(JSON.parse(line)).toMatchObject({ level: expect.any(Number) });
    }
    // oxlint-disable-next-line no-control-regex -- they are what is looked for
    expect(service.log()).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029]/);
    expect(service.logLines().filter(({ level }) => level === 60)).toEqual([]);
  });
});
