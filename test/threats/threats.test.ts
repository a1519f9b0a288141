import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { v7 as uuidv7 } from 'uuid';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client } from '../support/client.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { manifest, tasksFolder } from '../support/process-tasks.js';
import { expectProblem, MARKER, RowCount } from '../support/problems.js';
import { type RawAnswer, rawRequest, sendRaw } from '../support/raw-http.js';
import { type Service, startService } from '../support/service.js';
import { token } from '../support/tokens.js';

const LIMIT = 65_536;
const TASK = 'diagnostics/sleep';
const JSON_TYPE = 'Content-Type: application/json';
const GOOD = '{"parameters": {"seconds": 0}}';

/** A request as bytes: a method and a target, headers beside Host and Authorization, a body. */
type Bad = readonly [
  what: string,
  line: string,
  headers: readonly string[],
  body: string | Buffer | undefined,
  status: number,
  slug: string,
];

/**
 * The table of docs/security.md, over raw sockets, so that no client corrects anything. One or two
 * requests of each kind; test/e2e/bad-input.test.ts has many of most.
 */
describe('what is refused', () => {
  const org = randomUUID();
  const other = randomUUID();
  const base = `/compute/orgs/${org}`;
  const post = `POST ${base}/${TASK}`;
  let folder: string;
  let database: TestDatabase;
  let service: Service;
  let rows: RowCount;
  let client: Client;
  let stranger: Client;
  let job: string;
  let othersJob: string;

  beforeAll(async () => {
    folder = tasksFolder({
      named: manifest({
        name: 'named',
        parameters: {
          type: 'object',
          properties: { a: { type: 'string', pattern: '^[a-z]+(-[a-z]+)*$' } },
          additionalProperties: false,
        },
      }),
    });
    database = await createTestDatabase();
    service = await startService(database.url, {
      ROLE: 'api',
      TASKS_DIR: folder,
      BODY_LIMIT_BYTES: String(LIMIT),
      LOG_LEVEL: 'trace',
    });
    rows = await RowCount.open(database.url);
    client = new Client(service.url, org, await token(org));
    stranger = new Client(service.url, other, await token(other));
    job = await client.submit(TASK, { seconds: 0 });
    othersJob = await stranger.submit(TASK, { seconds: 0 });
  });

  afterAll(async () => {
    await rows?.close();
    await service?.stop();
    await database?.drop();
    rmSync(folder, { recursive: true, force: true });
  });

  const send = (
    line: string,
    headers: readonly string[] = [],
    body?: string | Buffer,
    authorization: readonly string[] = [`Authorization: Bearer ${client.token}`],
  ): Promise<RawAnswer> =>
    sendRaw(
      service.url,
      rawRequest(`${line} HTTP/1.1`, ['Host: a.example', ...authorization, ...headers], body),
    );
  const execute = (body: string | Buffer, headers: readonly string[] = [JSON_TYPE]) =>
    send(post, headers, body);

  const parameters = (text: string) => `{"parameters": ${text}}`;
  const options = (text: string) => `{"parameters": {"seconds": 0}, "options": ${text}}`;
  const body = (what: string, text: string | Buffer, status: number, slug: string): Bad => [
    what,
    post,
    [JSON_TYPE],
    text,
    status,
    slug,
  ];
  const malformed = (what: string, text: string | Buffer) =>
    body(what, text, 400, 'malformed-request');
  const invalid = (what: string, text: string) => body(what, text, 422, 'invalid-parameters');
  const notJson = (what: string, ...headers: string[]): Bad => [
    what,
    post,
    headers,
    GOOD,
    415,
    'unsupported-media-type',
  ];
  const get = (what: string, target: string, status = 404, slug = 'not-found'): Bad => [
    what,
    `GET ${target}`,
    [],
    undefined,
    status,
    slug,
  ];

  const bodies: Bad[] = [
    malformed('truncated JSON', `{"parameters": {"x": "${MARKER}`),
    malformed('an empty body', ''),
    invalid('a scalar', '1'),
    invalid('null', 'null'),
    invalid('an array', `["${MARKER}"]`),
    malformed('invalid UTF-8', Buffer.from('{"parameters": {"x": "\xff"}}', 'latin1')),
    malformed('a member twice', '{"parameters": {"seconds": 0}, "parameters": {}}'),
    invalid('U+0000 in a value', parameters(`{"seconds": "${MARKER}\\u0000"}`)),
    invalid('U+0000 in a name', parameters('{"\\u0000": 1}')),
    invalid('half a surrogate pair', parameters('{"x": "\\ud800"}')),
    invalid('an integer beyond 2^53', parameters('{"seconds": 9007199254740993}')),
    invalid('1e400', parameters('{"seconds": 1e400}')),
    invalid('10,000 levels', parameters('['.repeat(10_000) + ']'.repeat(10_000))),
    invalid(
      'a thousand and one members',
      parameters(`{${Array.from({ length: 1_001 }, (_, i) => `"m${i}":0`).join()}}`),
    ),
    body('more than the limit', ' '.repeat(LIMIT + 1), 413, 'payload-too-large'),
    notJson('UTF-16', 'Content-Type: application/json; charset=utf-16'),
    notJson('text', 'Content-Type: text/plain'),
    notJson('no type'),
    notJson('an empty type', 'Content-Type: '),
    notJson('a type that is none', 'Content-Type: @'),
    notJson('a form', 'Content-Type: application/x-www-form-urlencoded'),
    notJson('several parts', 'Content-Type: multipart/form-data; boundary=x'),
    notJson('an unknown encoding', JSON_TYPE, 'Content-Encoding: x'),
    [
      'a bomb of gzip',
      post,
      [JSON_TYPE, 'Content-Encoding: gzip'],
      gzipSync(Buffer.alloc(20_000_000, ' ')),
      415,
      'unsupported-media-type',
    ],
    invalid('an unknown member', parameters(`{"seconds": 0, "admin": "${MARKER}"}`)),
    invalid('a wrong type', parameters(`{"seconds": "${MARKER}"}`)),
    invalid('__proto__', parameters('{"seconds": 0, "__proto__": {"admin": true}}')),
    invalid('constructor', parameters('{"seconds": 0, "constructor": {"prototype": {}}}')),
    invalid('a year of 275760', options('{"run_after": "+275760-09-13T00:00:00Z"}')),
    invalid('a time in 1970', options('{"run_after": "1970-01-01T00:00:00Z"}')),
    invalid('a time without an offset', options('{"run_after": "2026-01-01T00:00:00"}')),
    invalid('a priority of a billion', options('{"priority": 1e9}')),
    invalid('an unknown option', options(`{"status": "${MARKER}"}`)),
    malformed('NaN', options('{"priority": NaN}')),
    [
      'text of 10,000 characters that a pattern refuses',
      `POST ${base}/test/named`,
      [JSON_TYPE],
      parameters(`{"a": "${'a-'.repeat(5_000)}!"}`),
      422,
      'invalid-parameters',
    ],
  ];

  const targets: Bad[] = [
    get('a broken percent-encoding', '/%zz', 400, 'malformed-request'),
    get('%00 in an id', `${base}/${TASK}/%00`),
    get('an encoded slash in an id', `${base}/${TASK}/a%2fb`),
    get('a nil id', `${base}/${TASK}/00000000-0000-0000-0000-000000000000/status`),
    get('the greatest id', `${base}/${TASK}/ffffffff-ffff-ffff-ffff-ffffffffffff/status`),
    get('an id in braces', `${base}/${TASK}/{${uuidv7()}}`),
    get('an id without hyphens', `${base}/${TASK}/${uuidv7().replaceAll('-', '')}`),
    get('an id of version 4', `${base}/${TASK}/${randomUUID()}`),
    get('%2e%2e as an organization', '/compute/orgs/%2e%2e/tasks', 403, 'forbidden'),
    get('another organization', `/compute/orgs/${other}/tasks`, 403, 'forbidden'),
    get('no such organization', `/compute/orgs/${uuidv7()}/tasks`, 403, 'forbidden'),
    get('upper case', base.toUpperCase()),
    get('a slash behind', `${base}/tasks/`),
    get('a slash twice', `${base}//tasks`),
    get('CR and LF in an id', `${base}/${TASK}/a%0d%0aX-Evil:%201`),
    ['an unknown topic', `POST ${base}/none/sleep`, [JSON_TYPE], GOOD, 404, 'not-found'],
    ['an unknown task', `POST ${base}/diagnostics/none`, [JSON_TYPE], GOOD, 404, 'not-found'],
    ...['limit=1&limit=2', 'limit=-1', 'limit=1e9', 'limit=abc', 'limit=', 'offset=%00'].map(
      (query) => get(query, `${base}/tasks?${query}`, 400, 'malformed-request'),
    ),
  ];

  const requests: Bad[] = [
    ['two Hosts', `GET ${base}/tasks`, ['Host: b.example'], undefined, 400, 'malformed-request'],
    [
      'two Authorizations',
      `GET ${base}/tasks`,
      ['Authorization: Bearer x'],
      undefined,
      400,
      'malformed-request',
    ],
    [
      'Accept: application/xml',
      `GET ${base}/tasks`,
      ['Accept: application/xml'],
      undefined,
      406,
      'not-acceptable',
    ],
    ['Expect: junk', `GET ${base}/tasks`, ['Expect: junk'], undefined, 417, 'expectation-failed'],
  ];

  const all = [...bodies, ...targets, ...requests];

  it.each(all)('%s', async (_what, line, headers, text, status, slug) => {
    const answer = await rows.unchangedBy(() => send(line, headers, text));
    expectProblem(answer, status, slug);
    expect(answer.headers.has('x-evil')).toBe(false);
    expect(answer.text.length).toBeLessThan(5_000);
  });

  it('is refused for the lack of a token first, whatever else is wrong with it', async () => {
    for (const [what, line, headers, text, status] of all) {
      // What is no HTTP, or no path, has no route that could ask for a token.
      if (
        !line.includes(' /compute/') ||
        (status === 400 && text === undefined && headers.length > 0)
      ) {
        continue;
      }
      const answer = await send(line, headers, text, []);
      expect([what, answer.status]).toEqual([what, status === 417 ? 417 : 401]);
    }
  });

  it.each([
    ['DELETE', '', 204],
    ['GET', '/status', 202],
    ['GET', '/detail', 200],
    ['GET', '/logs', 200],
    ['GET', '', 202],
  ])('a body of no known kind with %s %s: nobody reads it', async (method, path, status) => {
    const target = `${await client.submit(TASK, { seconds: 0 })}${path}`;
    for (const type of ['Content-Type: ', 'Content-Type: @', 'Content-Type: a/b']) {
      const answer = await send(`${method} ${target}`, [type], MARKER);
      expect(answer.status).toBe(method === 'DELETE' ? 204 : status);
    }
  });

  it('another’s job, under the own organization: as one that never was, on each route', async () => {
    const id = othersJob.split('/').at(-1) as string;
    for (const [method, path] of [
      ['GET', ''],
      ['GET', '/status'],
      ['GET', '/detail'],
      ['GET', '/logs'],
      ['GET', '/logs?after=1.1'],
      ['DELETE', ''],
    ] as const) {
      const theirs = await send(`${method} ${base}/${TASK}/${id}${path}`);
      const nobodys = await send(`${method} ${base}/${TASK}/${uuidv7()}${path}`);
      expectProblem(theirs, 404, 'not-found');
      expect(theirs.text).toBe(nobodys.text);
    }
    expect((await stranger.get(`${othersJob}/status`)).body.status).toBe('requested');
  });

  it('a place in a log that is none, or was tampered with', async () => {
    for (const after of ['%00', 'x', '1', '-1.0', '1.1.1', '9999999999.0', '1.1%27--']) {
      expectProblem(await send(`GET ${job}/logs?after=${after}`), 400, 'malformed-request');
    }
  });

  it('members that would be columns are ignored, and are none', async () => {
    const answer = await execute(
      `{"parameters": {"seconds": 0}, "org_id": "${other}", "status": "succeeded", "attempt": 9, "id": "${uuidv7()}", "results": {}}`,
    );
    expect(answer.status).toBe(303);
    const location = answer.headers.get('location') as string;
    expect(location.startsWith(`${base}/${TASK}/`)).toBe(true);
    const detail = await send(`GET ${location.replace(/status$/, 'detail')}`);
    expect(detail.body).toMatchObject({ status: 'requested', attempts: [] });
  });

  it('is taken all the same: a byte order mark, -0, 1.0, an upper-case id', async () => {
    for (const text of [`\uFEFF${GOOD}`, parameters('{"seconds": -0, "steps": 1.0}')]) {
      expect((await execute(text)).status).toBe(303);
    }
    const id = job.split('/').at(-1) as string;
    expect((await send(`GET ${base}/${TASK}/${id.toUpperCase()}/status`)).status).toBe(202);
  });

  it('a target with a host of its own, a foreign Host, forwarded headers: Location is a path', async () => {
    const answer = await send(
      `POST http://evil.example${base}/${TASK}`,
      [JSON_TYPE, 'X-Forwarded-Host: evil.example', 'X-Forwarded-Proto: gopher'],
      GOOD,
    );
    expect(answer.status).toBe(303);
    expect(answer.headers.get('location')).toMatch(/^\/compute\/orgs\//);
    expect(JSON.stringify([...answer.headers])).not.toMatch(/evil|gopher/);
  });

  it('X-HTTP-Method-Override has no say', async () => {
    expect((await send(`GET ${job}/status`, ['X-HTTP-Method-Override: DELETE'])).status).toBe(202);
    expect((await send(`GET ${job}/status`)).body.status).toBe('requested');
  });

  it('says nothing of what it runs on, and is nobody’s frame', async () => {
    for (const answer of [await send('GET /'), await send('GET /none'), await send(`GET ${job}`)]) {
      for (const name of ['x-powered-by', 'server', 'via', 'access-control-allow-origin']) {
        expect(answer.headers.has(name)).toBe(false);
      }
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
      expect(answer.headers.get('content-security-policy')).toContain("frame-ancestors 'self'");
      expect(answer.headers.get('referrer-policy')).toBe('no-referrer');
    }
  });

  it('leaves the service ready, and nothing of it in a log at level trace', async () => {
    expect((await send('GET /health/ready')).status).toBe(200);
    expect(service.logLines().filter(({ level }) => Number(level) >= 50)).toEqual([]);
    expect(service.log()).not.toContain(MARKER);
    expect(service.log()).not.toContain(client.token);
  });
});
