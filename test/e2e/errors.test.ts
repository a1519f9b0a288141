import { randomUUID } from 'node:crypto';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { v7 as uuidv7 } from 'uuid';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AppModule } from '../../src/app.module.js';
import { verificationKey } from '../../src/auth/keys/verification-key.js';
import { TaskCatalogue } from '../../src/compute/catalogue/task-catalogue.js';
import { loadConfig } from '../../src/platform/config.js';
import { NoTracing } from '../../src/platform/tracing/tracing.js';
import { Metrics } from '../../src/platform/metrics/metrics.js';
import { SchemaState } from '../../src/platform/database/schema/schema-state.js';
import { Draining } from '../../src/platform/http/connections/draining.js';
import { createHttpAdapter } from '../../src/platform/http/http-adapter.js';
import sleepTask from '../../src/tasks/diagnostics/sleep/sleep.task.js';
import { type Answer, Client } from '../support/client.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { expectProblem, MARKER, RowCount } from '../support/problems.js';
import { rawRequest, sendRaw } from '../support/raw-http.js';
import { type Service, startService } from '../support/service.js';
import { TEST_SECRET, token } from '../support/tokens.js';

const LIMIT = 65_536;
const TASK = 'diagnostics/sleep';
const JSON_TYPE = { 'content-type': 'application/json' };
const BROKEN = `{"parameters": ${MARKER}`;

let database: TestDatabase;
let service: Service;
let rows: RowCount;
const org = randomUUID();
/** Another organization, which exists: it has a job. */
const other = randomUUID();
let client: Client;
let stranger: Client;
let otherJob: string;
let ownJob: string;

beforeAll(async () => {
  database = await createTestDatabase();
  service = await startService(database.url, { ROLE: 'api', BODY_LIMIT_BYTES: String(LIMIT) });
  rows = await RowCount.open(database.url);
  client = new Client(service.url, org, await token(org));
  stranger = new Client(service.url, other, await token(other));
  otherJob = await stranger.submit(TASK, { seconds: 0 });
  ownJob = await client.submit(TASK, { seconds: 0 });
});

afterAll(async () => {
  await rows?.close();
  await service?.stop();
  await database?.drop();
});

/** Without a token; what it sends beside is up to the test. */
const anonymous = (method: string, path: string, init: RequestInit = {}) =>
  new Client(service.url, org, '').request(method, path, {
    ...init,
    headers: { authorization: '', ...(init.headers as object) },
  });

const idOf = (job: string): string => job.split('/').at(-1) as string;

describe('400', () => {
  it.each<[string, string | Uint8Array]>([
    ['is not JSON', BROKEN],
    ['is empty', ''],
    ['is not UTF-8', new Uint8Array([0x22, 0xff, 0x22])],
    ['has a member twice', `{"parameters": {"${'a'}": "${MARKER}", "a": 1}}`],
  ])('malformed-request: the body %s', async (_what, body) => {
    const answer = await rows.unchangedBy(() => client.execute(TASK, body));
    expectProblem(answer, 400, 'malformed-request');
  });

  it.each([
    ['a header value has a control character', 'GET / HTTP/1.1', ['Host: a', 'X-Note: a\0b']],
    ['a header must not come twice', 'GET / HTTP/1.1', ['Host: a', 'Host: b']],
    [
      'the framing is ambiguous',
      'POST / HTTP/1.1',
      ['Host: a', 'Content-Length: 1', 'Content-Length: 2'],
    ],
    ['the path has a broken percent-encoding', 'GET /%zz HTTP/1.1', ['Host: a']],
  ])('malformed-request: %s', async (_what, requestLine, headers) => {
    const answer = await sendRaw(service.url, rawRequest(requestLine, headers));
    expectProblem(answer, 400, 'malformed-request');
  });

  it('malformed-request: a query parameter is wrong, and is named', async () => {
    const answer = await client.get(`tasks?limit=${MARKER}`);
    expectProblem(answer, 400, 'malformed-request');
    expect(answer.body['invalid-params']).toEqual([
      { name: 'limit', reason: expect.stringMatching(/\S/) },
    ]);
  });

  it('preview-api: a preview task is executed only by those who opt in', async () => {
    const preview = await startWithPreviewTask();
    try {
      const previewer = new Client(await preview.getUrl(), org, await token(org));
      const execute = (headers: Record<string, string>) =>
        previewer.execute(TASK, { parameters: { seconds: 0 } }, headers);
      for (const headers of [{}, { 'api-preview': 'yes' }] as Record<string, string>[]) {
        const answer = await rows.unchangedBy(() => execute(headers));
        expectProblem(answer, 400, 'preview-api');
        expect(answer.body.title).toBe('Preview API.');
      }
      expect((await execute({ 'api-preview': 'opt-in' })).status).toBe(303);
      expect((await previewer.get('tasks')).body.results[0].feature_flag).toBe('deep-sleep');
    } finally {
      await preview.close();
    }
  });

  /** The whole application in this process, over a catalogue of its own: no shipped task is a preview. */
  async function startWithPreviewTask(): Promise<NestFastifyApplication> {
    const config = loadConfig({
      DATABASE_URL: database.url,
      AUTH_JWT_SECRET: TEST_SECRET,
      ROLE: 'api',
      LOG_LEVEL: 'silent',
    });
    const draining = new Draining();
    const { adapter, allowedMethods } = createHttpAdapter({
      trustProxy: false,
      maxConnections: 100,
      draining,
      schema: new SchemaState(),
    });
    const task = { ...sleepTask, previewFlag: 'deep-sleep' };
    const nest = await NestFactory.create<NestFastifyApplication>(
      AppModule.forRoot({
        config,
        database: { url: database.url, requestUrl: database.url },
        draining,
        schema: new SchemaState(),
        allowedMethods,
        metrics: new Metrics(false),
        tracing: new NoTracing(),
        key: verificationKey(config, null),
        catalogue: new TaskCatalogue([{ task, moduleUrl: 'file:///unused' }]),
      }),
      adapter,
      { bodyParser: false, forceCloseConnections: true, logger: false },
    );
    await nest.listen(0, '127.0.0.1');
    return nest;
  }
});

describe('401 unauthorized', () => {
  it('challenges without an error code when no token was sent (RFC 6750, section 3.1)', async () => {
    const answer = await rows.unchangedBy(() =>
      anonymous('POST', TASK, { headers: JSON_TYPE, body: '{"parameters":{"seconds":0}}' }),
    );
    expectProblem(answer, 401, 'unauthorized');
    expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="headframe"');
  });

  it('challenges with invalid_token when one was sent', async () => {
    const answer = await anonymous('GET', 'tasks', {
      headers: { authorization: `Bearer ${MARKER}` },
    });
    expectProblem(answer, 401, 'unauthorized');
    expect(answer.headers.get('www-authenticate')).toBe(
      'Bearer realm="headframe", error="invalid_token"',
    );
  });
});

describe('403 forbidden', () => {
  it('is the same, byte by byte, whether or not the organization exists', async () => {
    const paths = [
      ['GET', 'tasks'],
      ['POST', TASK],
      ['GET', `${TASK}/${idOf(otherJob)}`],
      ['GET', `${TASK}/${idOf(otherJob)}/status`],
      ['DELETE', `${TASK}/${idOf(otherJob)}`],
      ['GET', 'no/such/path/at/all'],
    ] as const;
    const bodies = new Set<string>();
    for (const [method, path] of paths) {
      for (const someOrg of [other, randomUUID(), 'not-a-uuid']) {
        const answer = await client.request(method, `/compute/orgs/${someOrg}/${path}`);
        expectProblem(answer, 403, 'forbidden');
        bodies.add(answer.text);
      }
    }
    expect(bodies.size).toBe(1);
    expect((await stranger.get(`${otherJob}/status`)).body.status).toBe('requested');
  });

  it('names the scope that the token lacks, in the challenge too', async () => {
    const reader = new Client(service.url, org, await token(org, { scope: 'compute:read' }));
    const writer = new Client(service.url, org, await token(org, { scope: 'compute:execute' }));
    const nobody = new Client(service.url, org, await token(org, { scope: '' }));
    for (const [scope, answer] of [
      ['compute:execute', await rows.unchangedBy(() => reader.execute(TASK, { parameters: {} }))],
      ['compute:execute', await reader.delete(ownJob)],
      ['compute:read', await writer.get('tasks')],
      ['compute:read', await writer.get(`${ownJob}/status`)],
      ['compute:read', await nobody.get(ownJob)],
    ] as const) {
      expectProblem(answer, 403, 'forbidden');
      expect(answer.body.detail).toContain(scope);
      expect(answer.headers.get('www-authenticate')).toBe(
        `Bearer realm="headframe", error="insufficient_scope", scope="${scope}"`,
      );
    }
    expect((await reader.get(`${ownJob}/status`)).body.status).toBe('requested');
  });
});

describe('404 not-found', () => {
  it.each(['/nothing/here', '/compute', '//', '/COMPUTE/orgs', '/health/nothing', '/docs/x/y'])(
    '%s: a path outside the API needs no token to be unknown',
    async (path) => {
      expectProblem(await anonymous('GET', path), 404, 'not-found');
    },
  );

  it.each([
    ['GET', '/compute/nothing'],
    ['GET', 'nothing'],
    ['GET', 'tasks/'],
    ['GET', `${TASK}/`],
    ['POST', `${TASK}/`],
    ['GET', `${TASK}/${uuidv7()}/status/`],
    ['GET', `${TASK}/${uuidv7()}/nothing`],
    ['POST', 'no-such-topic/sleep'],
    ['POST', 'diagnostics/no-such-task'],
    ['POST', 'diagnostics/__proto__'],
    ['POST', 'diagnostics/SLEEP'],
    ['POST', `diagnostics/${'x'.repeat(3_000)}`],
    ['POST', 'diagnostics%2Fsleep/x'],
  ])('%s %s: an unknown path, topic or task', async (method, path) => {
    const answer = await rows.unchangedBy(() =>
      client.request(method, path, {
        headers: JSON_TYPE,
        ...(method === 'POST' && { body: '{"parameters":{"seconds":0}}' }),
      }),
    );
    expectProblem(answer, 404, 'not-found');
  });

  const onEachRoute = async (address: string): Promise<Answer[]> => [
    await client.get(`${address}/status`),
    await client.get(address),
    await client.delete(address),
  ];

  it('is the same, byte by byte, for an unknown job, another’s, and one elsewhere', async () => {
    const texts = new Set<string>();
    for (const address of [
      `${TASK}/${uuidv7()}`,
      `${TASK}/${randomUUID()}`,
      `${TASK}/00000000-0000-0000-0000-000000000000`,
      `${TASK}/${idOf(otherJob)}`,
      `diagnostics/spin/${idOf(ownJob)}`,
      `geostatistics/sleep/${idOf(ownJob)}`,
      `no-such-topic/sleep/${idOf(ownJob)}`,
    ]) {
      for (const answer of await onEachRoute(address)) {
        expectProblem(answer, 404, 'not-found');
        texts.add(answer.text);
      }
    }
    expect(texts.size).toBe(1);
    // The DELETEs among them have canceled nothing.
    expect((await stranger.get(`${otherJob}/status`)).body.status).toBe('requested');
    expect((await client.get(`${ownJob}/status`)).body.status).toBe('requested');
  });

  it('answers a malformed id without asking the database', async () => {
    const id = idOf(ownJob);
    for (const malformed of [
      'x',
      `{${id}}`,
      id.replaceAll('-', ''),
      `${id}0`,
      id.slice(1),
      `${id}%00`,
      `%20${id}`,
      `${id}%0a`,
      `urn:uuid:${id}`,
      `${id.slice(0, -1)}%E2%80%8B`,
      `'%20OR%20''='`,
    ]) {
      for (const answer of await onEachRoute(`${TASK}/${malformed}`)) {
        expectProblem(answer, 404, 'not-found');
      }
    }
  });
});

describe('405 method-not-allowed', () => {
  it.each([
    ['GET', TASK, 'POST, OPTIONS'],
    ['PUT', TASK, 'POST, OPTIONS'],
    ['PATCH', `${TASK}/${uuidv7()}`, 'DELETE, GET, HEAD, OPTIONS'],
    ['POST', `${TASK}/${uuidv7()}`, 'DELETE, GET, HEAD, OPTIONS'],
    ['DELETE', `${TASK}/${uuidv7()}/status`, 'GET, HEAD, OPTIONS'],
    ['POST', 'tasks', 'GET, HEAD, OPTIONS'],
    ['POST', '/health/ready', 'GET, HEAD, OPTIONS'],
    ['DELETE', '/', 'GET, HEAD, OPTIONS'],
  ])('%s %s: Allow says %s', async (method, path, allow) => {
    const answer = await rows.unchangedBy(() => client.request(method, path));
    expectProblem(answer, 405, 'method-not-allowed');
    expect(answer.headers.get('allow')).toBe(allow);
  });

  it.each([
    ['PUT', 'no-such-topic/sleep'],
    ['PUT', 'diagnostics/no-such-task'],
    ['PUT', `${TASK}/not-an-id`],
    ['OPTIONS', 'diagnostics/no-such-task'],
  ])('%s %s: 404, where there is nothing that another method would find', async (method, path) => {
    expectProblem(await client.request(method, path), 404, 'not-found');
  });

  it('answers OPTIONS with what is allowed', async () => {
    const answer = await client.request('OPTIONS', TASK);
    expect([answer.status, answer.headers.get('allow')]).toEqual([204, 'POST, OPTIONS']);
  });
});

describe('406 not-acceptable', () => {
  it.each(['text/html', 'application/xml', 'application/json;q=0', 'application/json;q=0, */*'])(
    'refuses Accept: %s',
    async (accept) => {
      const execute = () => client.execute(TASK, { parameters: { seconds: 0 } }, { accept });
      expectProblem(await rows.unchangedBy(execute), 406, 'not-acceptable');
      expectProblem(await client.get(`${ownJob}/status`, { accept }), 406, 'not-acceptable');
      expectProblem(await client.get('tasks', { accept }), 406, 'not-acceptable');
    },
  );

  it.each([
    '*/*',
    'application/*',
    'text/html, application/json;q=0.1',
    'application/problem+json',
  ])('takes Accept: %s', async (accept) => {
    expect((await client.get(`${ownJob}/status`, { accept })).status).toBe(202);
  });

  it('takes a request without Accept', async () => {
    const answer = await sendRaw(
      service.url,
      rawRequest(`GET ${ownJob}/status HTTP/1.1`, [
        'Host: a',
        `Authorization: Bearer ${client.token}`,
      ]),
    );
    expect(answer.status).toBe(202);
  });
});

describe('413 payload-too-large', () => {
  const tooLarge = `{"parameters":{"seconds":0},"more":"${MARKER.repeat(LIMIT / 10)}"}`;

  it('refuses a declared length over the limit', async () => {
    const answer = await rows.unchangedBy(() => client.execute(TASK, tooLarge));
    expectProblem(answer, 413, 'payload-too-large');
    expect(answer.body.detail).toContain(String(LIMIT));
  });

  it('refuses chunks that add up to more than the limit', async () => {
    const answer = await rows.unchangedBy(() =>
      client.request('POST', TASK, {
        headers: JSON_TYPE,
        body: new Blob([tooLarge]).stream(),
        duplex: 'half',
      } as RequestInit),
    );
    expectProblem(answer, 413, 'payload-too-large');
  });

  it('takes a body of exactly the limit', async () => {
    const start = '{"parameters":{"seconds":0},"more":"';
    const body = `${start}${'x'.repeat(LIMIT - start.length - 2)}"}`;
    expect((await client.execute(TASK, body)).status).toBe(303);
    expectProblem(await client.execute(TASK, ` ${body}`), 413, 'payload-too-large');
  });

  it('reads the rest of the body, so that its sender sees the answer, and goes on', async () => {
    const head = [
      'Host: a',
      `Authorization: Bearer ${client.token}`,
      'Content-Type: application/json',
    ];
    const chunk = `${(8 * LIMIT).toString(16)}\r\n${'x'.repeat(8 * LIMIT)}\r\n0\r\n\r\n`;
    const path = `/compute/orgs/${org}/${TASK}`;
    const answer = await sendRaw(service.url, [
      rawRequest(`POST ${path} HTTP/1.1`, [...head, 'Transfer-Encoding: chunked']),
      chunk,
    ]);
    expectProblem(answer, 413, 'payload-too-large');
    expect(answer.headers.get('connection')).not.toBe('close');
  });
});

describe('415 unsupported-media-type', () => {
  it.each([
    ['text/plain', {}],
    ['application/x-www-form-urlencoded', {}],
    ['multipart/form-data; boundary=x', {}],
    ['application/jsonp', {}],
    ['application/json; charset=utf-16', {}],
    ['application/json; charset=iso-8859-1', {}],
    ['application/json', { 'content-encoding': 'gzip' }],
    ['application/json', { 'content-encoding': 'br' }],
  ])('refuses %s %o', async (type, headers) => {
    const answer = await rows.unchangedBy(() =>
      client.execute(TASK, '{"parameters":{"seconds":0}}', { 'content-type': type, ...headers }),
    );
    expectProblem(answer, 415, 'unsupported-media-type');
  });

  it('refuses a body of no type', async () => {
    const answer = await rows.unchangedBy(() =>
      client.request('POST', TASK, {
        body: new TextEncoder().encode('{"parameters":{"seconds":0}}'),
      }),
    );
    expectProblem(answer, 415, 'unsupported-media-type');
  });
});

describe('422 invalid-parameters', () => {
  it.each<[string, unknown, string]>([
    ['the body is null', 'null', ''],
    ['the body is a list', '[]', ''],
    ['the body is a string', `"${MARKER}"`, ''],
    ['there are no parameters', {}, 'parameters'],
    ['the parameters are null', { parameters: null }, 'parameters'],
    ['the parameters are a list', { parameters: [] }, 'parameters'],
    ['a parameter is missing', { parameters: {} }, 'parameters.seconds'],
    ['a parameter is of another type', { parameters: { seconds: MARKER } }, 'parameters.seconds'],
    ['a parameter is out of bounds', { parameters: { seconds: -1 } }, 'parameters.seconds'],
    ['a parameter is unknown', { parameters: { seconds: 0, color: MARKER } }, 'parameters.color'],
    [
      'a nested parameter is wrong',
      { parameters: { seconds: 0, fail: { status: 200, title: MARKER, detail: 'd' } } },
      'parameters.fail.status',
    ],
  ])('%s', async (_what, body, name) => {
    const answer = await rows.unchangedBy(() => client.execute(TASK, body));
    expectProblem(answer, 422, 'invalid-parameters');
    expect(answer.body['invalid-params']).toEqual([{ name, reason: expect.stringMatching(/\S/) }]);
  });

  it('names every fault at once, but not more than twenty', async () => {
    const few = await client.execute(TASK, { parameters: { seconds: -1, steps: 0.5 } });
    expect(few.body['invalid-params'].map(({ name }: { name: string }) => name).sort()).toEqual([
      'parameters.seconds',
      'parameters.steps',
    ]);
    const coordinates = Array.from({ length: 500 }, () => MARKER);
    const many = await client.execute('geostatistics/kriging', {
      parameters: { source: { coordinates, values: coordinates }, target: { coordinates } },
    });
    expectProblem(many, 422, 'invalid-parameters');
    expect(many.body['invalid-params']).toHaveLength(20);
  });
});

describe('500 internal-error', () => {
  it('says nothing but an id, under which the log has the cause once', async () => {
    // A defect of the SQL itself: a schema that does not fit would be 503.
    const { rows: definition } = await rows.connection.query<{ text: string }>(
      `SELECT pg_get_functiondef('request_organizations'::regproc) AS text`,
    );
    await rows.connection.query(
      `CREATE OR REPLACE FUNCTION request_organizations() RETURNS uuid[] LANGUAGE sql STABLE PARALLEL SAFE AS
       'SELECT ARRAY[(1 / (random() * 0)::int)::text]::uuid[]'`,
    );
    let answer: Answer;
    try {
      answer = await client.get(`${ownJob}/status`);
    } finally {
      await rows.connection.query(definition[0]?.text as string);
    }
    expectProblem(answer, 500, 'internal-error');
    const id: string = answer.body['error-id'];
    expect(id).toMatch(/^[0-9a-f-]{36}$/);
    await expect
      .poll(() => service.logLines().filter(({ errorId }) => errorId === id))
      .toEqual([expect.objectContaining({ level: 50, err: expect.objectContaining({}) })]);
    expect((await client.get(`${ownJob}/status`)).status).toBe(202);
  });
});

/** The database being down has a test file of its own. */
describe('503 unavailable', () => {
  it('sends clients to other replicas while this one stops, with Retry-After', async () => {
    const stopping = await startService(database.url, { SHUTDOWN_SECONDS: '5' });
    try {
      const sleeper = new Client(stopping.url, org, client.token);
      const job = await sleeper.submit(TASK, { seconds: 60 });
      await sleeper.waitFor(job, ({ status }) => status === 'in progress');
      process.kill(stopping.pid, 'SIGTERM');
      await expect.poll(async () => (await sleeper.get(job)).status).toBe(503);
      for (const answer of [
        await sleeper.get(job),
        await sleeper.delete(job),
        await rows.unchangedBy(() => sleeper.execute(TASK, { parameters: { seconds: 0 } })),
        await sleeper.get('/health/ready'),
      ]) {
        expectProblem(answer, 503, 'unavailable');
        expect(answer.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
      }
      expect((await sleeper.get('/health/live')).status).toBe(200);
    } finally {
      await stopping.stop();
    }
  });
});

/** Each request is wrong in several ways: what is judged first answers. */
describe('the order of judgement', () => {
  const broken = { headers: JSON_TYPE, body: BROKEN };
  const head = (bearer: string) => [
    'Host: a',
    `Authorization: Bearer ${bearer}`,
    'Content-Type: application/json',
  ];

  it.each([
    ['an organization of others', () => anonymous('GET', `/compute/orgs/${other}/tasks`)],
    ['an unknown path', () => anonymous('GET', '/compute/nothing')],
    ['a wrong method', () => anonymous('PUT', TASK)],
    ['an absurdly long segment', () => anonymous('POST', `diagnostics/${'x'.repeat(3_000)}`)],
    ['an unknown task and a broken body', () => anonymous('POST', 'no/task', broken)],
    [
      'an answer that it does not accept',
      () => anonymous('GET', 'tasks', { headers: { accept: 'text/html' } }),
    ],
  ])('no token comes before %s', async (_what, send) => {
    expectProblem(await rows.unchangedBy(send), 401, 'unauthorized');
  });

  it('no token is told before a large body has arrived', async () => {
    const answer = await sendRaw(
      service.url,
      rawRequest(`POST /compute/orgs/${org}/${TASK} HTTP/1.1`, [
        'Host: a',
        'Content-Type: application/json',
        'Content-Length: 20000000',
      ]),
    );
    expectProblem(answer, 401, 'unauthorized');
  });

  it.each([
    ['an unknown path', 'GET', 'nothing/at/all/here', {}],
    ['a wrong method', 'PUT', TASK, {}],
    ['an unknown task and a broken body', 'POST', 'no/task', broken],
    ['a wrong media type', 'POST', TASK, { headers: { 'content-type': 'text/plain' }, body: 'x' }],
    ['a body over the limit', 'POST', TASK, { headers: JSON_TYPE, body: 'x'.repeat(LIMIT + 1) }],
  ])('an organization of others comes before %s', async (_what, method, path, init) => {
    const answer = await rows.unchangedBy(() =>
      client.request(method, `/compute/orgs/${other}/${path}`, init),
    );
    expectProblem(answer, 403, 'forbidden');
  });

  it('an organization of others comes first however the path is spelled', async () => {
    for (const target of [
      `/%63ompute/orgs/${other}/nothing`,
      `http://elsewhere.example/compute/orgs/${other}/nothing`,
    ]) {
      const answer = await sendRaw(
        service.url,
        rawRequest(`GET ${target} HTTP/1.1`, head(client.token)),
      );
      expectProblem(answer, 403, 'forbidden');
    }
  });

  it('a missing scope comes before an unknown task and a broken body', async () => {
    const reader = new Client(service.url, org, await token(org, { scope: 'compute:read' }));
    expectProblem(await reader.execute('no/task', BROKEN), 403, 'forbidden');
  });

  it.each([
    ['a broken body', broken],
    ['a wrong media type', { headers: { 'content-type': 'text/plain' }, body: 'x' }],
    ['a body over the limit', { headers: JSON_TYPE, body: 'x'.repeat(LIMIT + 1) }],
    ['parameters that no task takes', { headers: JSON_TYPE, body: '{"parameters":1}' }],
  ])('an unknown task comes before %s', async (_what, init) => {
    const answer = await rows.unchangedBy(() => client.request('POST', 'diagnostics/nap', init));
    expectProblem(answer, 404, 'not-found');
  });

  it('an unknown task is told before the body has arrived', async () => {
    const answer = await sendRaw(
      service.url,
      rawRequest(`POST /compute/orgs/${org}/diagnostics/nap HTTP/1.1`, [
        ...head(client.token),
        'Content-Length: 60000',
      ]),
    );
    expectProblem(answer, 404, 'not-found');
  });

  it('a wrong media type comes before the limit, and the limit before the text', async () => {
    const body = BROKEN.padEnd(LIMIT + 1, 'x');
    const typed = (type: string) => client.execute(TASK, body, { 'content-type': type });
    expectProblem(await typed('text/plain'), 415, 'unsupported-media-type');
    expectProblem(await typed('application/json'), 413, 'payload-too-large');
  });
});
