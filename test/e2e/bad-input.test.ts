import { randomUUID } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { v7 as uuidv7 } from 'uuid';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client } from '../support/client.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { expectProblem, MARKER, RowCount } from '../support/problems.js';
import { RawConnection, rawRequest, sendRaw } from '../support/raw-http.js';
import { type Service, startService } from '../support/service.js';
import { token } from '../support/tokens.js';

const LIMIT = 16 * 1024 * 1024;
const TASK = 'diagnostics/sleep';

describe('bad input', () => {
  const org = randomUUID();
  const path = `/compute/orgs/${org}/${TASK}`;
  let database: TestDatabase;
  let service: Service;
  let rows: RowCount;
  let client: Client;
  let job: string;
  /** Host and Authorization. */
  let head: string[];

  beforeAll(async () => {
    database = await createTestDatabase();
    service = await startService(database.url, { ROLE: 'api', BODY_LIMIT_BYTES: String(LIMIT) });
    rows = await RowCount.open(database.url);
    client = new Client(service.url, org, await token(org));
    head = ['Host: service.example', `Authorization: Bearer ${client.token}`];
    job = await client.submit(TASK, { seconds: 0 });
  });

  // Whatever was thrown at it: it lives, is ready, and had no failure of its own.
  afterAll(async () => {
    try {
      expect((await client.get('/health/ready')).status).toBe(200);
      expect(service.logLines().filter(({ level }) => Number(level) >= 50)).toEqual([]);
      expect(service.log()).not.toContain(MARKER);
      expect(service.log()).not.toContain(client.token);
    } finally {
      await rows?.close();
      await service?.stop();
      await database?.drop();
    }
  });

  const post = (body: string | Buffer, headers = ['Content-Type: application/json']) =>
    sendRaw(service.url, rawRequest(`POST ${path} HTTP/1.1`, [...head, ...headers], body));

  const get = (target: string, headers: readonly string[] = head) =>
    sendRaw(service.url, rawRequest(`GET ${target} HTTP/1.1`, headers));

  describe('bodies that are refused', () => {
    const malformed: [string, string | Buffer][] = [
      ['nothing', ''],
      ['blanks', ' \n '],
      ['a byte order mark alone', '\uFEFF'],
      ['a word', MARKER],
      ['truncated JSON', `{"parameters": {"seconds": 0, "x": "${MARKER}`],
      ['JSON and more', '{"parameters": {"seconds": 0}} x'],
      ['two documents', '{"parameters": {"seconds": 0}}{"parameters": {"seconds": 0}}'],
      ['a comma too many', '{"parameters": {"seconds": 0,}}'],
      ['a comment', '{"parameters": {"seconds": 0}} // x'],
      ['single quotes', `{'parameters': {'seconds': 0}}`],
      ['NaN', '{"parameters": {"seconds": NaN}}'],
      ['a hexadecimal number', '{"parameters": {"seconds": 0x1}}'],
      ['a leading zero', '{"parameters": {"seconds": 01}}'],
      ['a raw line break in a string', '{"parameters": {"seconds": 0, "x": "\n"}}'],
      ['a raw NUL in a string', '{"parameters": {"seconds": 0, "x": "\0"}}'],
      ['a raw NUL between tokens', '{"parameters":\0{"seconds": 0}}'],
      ['an unknown escape', '{"parameters": {"seconds": 0, "x": "\\x41"}}'],
      ['invalid UTF-8', Buffer.from('{"parameters": {"seconds": 0, "x": "\xff"}}', 'latin1')],
      ['overlong UTF-8', Buffer.from('{"parameters": {"seconds": 0, "x": "\xc0\x80"}}', 'latin1')],
      ['a surrogate in UTF-8', Buffer.from('{"parameters": {"x": "\xed\xa0\x80"}}', 'latin1')],
      ['UTF-16', Buffer.from('\uFEFF{"parameters": {"seconds": 0}}', 'utf16le')],
      ['UTF-16 without a mark', Buffer.from('{"parameters": {"seconds": 0}}', 'utf16le')],
      ['gzip that is not declared', gzipSync('{"parameters": {"seconds": 0}}')],
      ['a member twice', '{"parameters": {"seconds": 0}, "parameters": {"seconds": 0}}'],
      ['a member twice inside', '{"parameters": {"seconds": 0, "seconds": 1}}'],
      ['a member twice, escaped', '{"parameters": {"seconds": 0, "\\u0073econds": 1}}'],
      ['an ignored member twice', '{"parameters": {"seconds": 0}, "x": [{"a": 1, "\\u0061": 2}]}'],
      ['an empty name twice', '{"parameters": {"seconds": 0}, "x": {"": 1, "": 2}}'],
    ];
    it.each(malformed)('400 for %s', async (_what, body) => {
      expectProblem(await rows.unchangedBy(() => post(body)), 400, 'malformed-request');
    });

    const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);
    const unkeepable: [string, string, string][] = [
      ['U+0000 in a string', '{"seconds": 0, "x": {"y": ["a", "\\u0000"]}}', '.x.y[1]'],
      ['U+0000 in a name', '{"seconds": 0, "a\\u0000b": 1}', '["a\\u0000b"]'],
      ['a lone high surrogate', '{"seconds": 0, "x": "\\ud800"}', '.x'],
      ['a lone low surrogate', '{"seconds": 0, "x": "\\udc00 "}', '.x'],
      ['surrogates in the wrong order', '{"seconds": 0, "x": "\\udc00\\ud800"}', '.x'],
      ['a lone surrogate in a name', '{"seconds": 0, "\\ud800": 0}', '["\uFFFD"]'],
      ['200 levels', `{"seconds": ${nested(200)}}`, '.seconds[0]'],
      ['100,000 levels', `{"seconds": ${nested(100_000)}}`, '.seconds[0]'],
      ['1e400', '{"seconds": 1e400}', '.seconds'],
      ['-1e400', '{"seconds": -1e400}', '.seconds'],
      ['2^53 + 1', '{"steps": 5, "seconds": 9007199254740993}', '.seconds'],
      ['-(2^53 + 1)', '{"seconds": [1e300, {"a": -9007199254740993}]}', '.seconds[1].a'],
      ['400 digits', `{"seconds": ${'9'.repeat(400)}}`, '.seconds'],
      ['__proto__', '{"seconds": 0, "__proto__": {"admin": true}}', '.__proto__'],
      ['__proto__, escaped', '{"seconds": 0, "x": {"__pr\\u006fto__": 1}}', '.x.__proto__'],
      [
        'constructor.prototype',
        '{"seconds": 0, "constructor": {"prototype": {"x": 1}}}',
        '.constructor',
      ],
      ['toString', '{"seconds": 0, "toString": 1, "hasOwnProperty": 1}', '.toString'],
      [
        '100,000 unknown members',
        `{"seconds": 0${Array.from({ length: 100_000 }, (_, i) => `, "m${i}": 0`).join('')}}`,
        '',
      ],
      [
        '900 unknown members',
        `{"seconds": 0${Array.from({ length: 900 }, (_, i) => `, "m${i}": 0`).join('')}}`,
        '.m0',
      ],
      [
        'a name of a million characters',
        `{"seconds": 0, "${'m'.repeat(1e6)}": 0}`,
        `.${'m'.repeat(100)}`,
      ],
    ];
    it.each(unkeepable)('422 with the place for %s', async (_what, parameters, place) => {
      const answer = await rows.unchangedBy(() => post(`{"parameters": ${parameters}}`));
      expectProblem(answer, 422, 'invalid-parameters');
      expect(answer.body['invalid-params'][0].name).toBe(`parameters${place}`);
      expect(answer.text.length).toBeLessThan(5_000);
    });

    it('422 also for what would be ignored beside the parameters', async () => {
      for (const [member, place] of [
        ['"x": "\\u0000"', 'x'],
        ['"x": [1, 1e999]', 'x[1]'],
        ['"__proto__": {}', '__proto__'],
      ] as const) {
        const body = `{"parameters": {"seconds": 0}, ${member}}`;
        const answer = await rows.unchangedBy(() => post(body));
        expectProblem(answer, 422, 'invalid-parameters');
        expect(answer.body['invalid-params'][0].name).toBe(place);
      }
    });

    it('422 for 65 levels, and 303 for 64', async () => {
      const body = (levels: number) => `{"parameters": {"seconds": 0}, "x": ${nested(levels - 1)}}`;
      expect((await post(body(64))).status).toBe(303);
      expectProblem(await post(body(65)), 422, 'invalid-parameters');
    });
  });

  describe('bodies that are taken', () => {
    it.each([
      ['-0', '{"parameters": {"seconds": -0}}'],
      ['1.0 for an integer', '{"parameters": {"seconds": 0.0, "steps": 1.0}}'],
      ['1e0 for an integer', '{"parameters": {"seconds": 0e5, "steps": 1e0}}'],
      ['the largest safe integer', '{"parameters": {"seconds": 0}, "x": 9007199254740991}'],
      ['a long fraction', '{"parameters": {"seconds": 0.00000000000000000000000000001}}'],
      ['pairs of surrogates', '{"parameters": {"seconds": 0}, "x": "\\ud83d\\ude00 😀"}'],
      ['an escaped backslash before u0000', '{"parameters": {"seconds": 0}, "x": "\\\\u0000"}'],
      [
        'the same name in different objects',
        '{"parameters": {"seconds": 0}, "x": {"x": [{"x": 1}]}}',
      ],
      ['names like methods', '{"parameters": {"seconds": 0}, "constructor": {"prototype": {}}}'],
      ['blanks around', ' \t\r\n{ "parameters" : { "seconds" : 0 } } \n'],
    ])('%s', async (_what, body) => {
      expect((await post(body)).status).toBe(303);
    });

    it('Expect: 100-continue: goes on, then answers', async () => {
      const answer = await post('{"parameters": {"seconds": 0}}', [
        'Content-Type: application/json',
        'Expect: 100-continue',
      ]);
      expect([answer.interim, answer.status]).toEqual([[100], 303]);
    });
  });

  describe('large bodies', () => {
    const fill = (start: string, unit: string, end: string) =>
      start + unit.repeat((LIMIT - start.length - end.length) / unit.length) + end;
    const list = '{"parameters": {"seconds": 0, "steps": [';

    it.each<[string, string, number]>([
      ['one string', fill('{"parameters": {"seconds": "', 'x', '"}}'), 422],
      ['a string of escapes', fill('{"parameters": {"seconds": "', '\\n', '"}}'), 422],
      ['a string of escaped letters', fill('{"parameters": {"seconds": "', '\\u0061', '"}}'), 422],
      ['one string, ignored', fill('{"parameters": {"seconds": 0}, "x": "', '\\\\', '"}'), 303],
      ['a million numbers', `${list}${'1234567.25,'.repeat(1e6)}0]}}`, 422],
      ['as many numbers as fit', fill(list, '1,', '0]}}'), 422],
      ['numbers of which the last is too large', fill(list, '1,', '9007199254740993]}}'), 422],
      ['as many strings as fit', fill(list, '"",', '""]}}'), 422],
      ['as many empty objects as fit', fill(list, '{},', '{}]}}'), 422],
      ['one number', fill('{"parameters": {"seconds": ', '1', '}}'), 422],
      ['brackets that open', fill('', '[', ''), 422],
      ['braces that open', fill('', '{"a":', ''), 422],
      ['quotes', fill('', '"', ''), 400],
      ['backslashes in a string that never ends', fill('"', '\\', ''), 400],
      ['colons', fill('', ':', ''), 422],
      ['blanks', fill('', ' ', ''), 400],
      ['commas', fill('[', ',', ''), 400],
      ['minus signs', fill('[', '-', ']'), 400],
    ])('%s: answered', async (_what, body, status) => {
      const answer = await post(body);
      expect(answer.status).toBe(status);
      expect(answer.text.length).toBeLessThan(5_000);
    });

    it('413 for one byte more, declared or in chunks', async () => {
      const body = Buffer.alloc(LIMIT + 1, ' ');
      expectProblem(await rows.unchangedBy(() => post(body)), 413, 'payload-too-large');
      const chunked = [...head, 'Content-Type: application/json', 'Transfer-Encoding: chunked'];
      const answer = await sendRaw(service.url, [
        rawRequest(`POST ${path} HTTP/1.1`, chunked),
        `${body.length.toString(16)}\r\n`,
        body,
        '\r\n0\r\n\r\n',
      ]);
      expectProblem(answer, 413, 'payload-too-large');
    });

    it('400 for a body that ends early', async () => {
      for (const headers of [['Content-Length: 1000'], ['Transfer-Encoding: chunked']]) {
        const answer = await rows.unchangedBy(() =>
          sendRaw(
            service.url,
            [
              rawRequest(`POST ${path} HTTP/1.1`, [
                ...head,
                'Content-Type: application/json',
                ...headers,
              ]),
              headers[0] === 'Content-Length: 1000' ? '{"parameters":' : 'e\r\n{"parameters":\r\n',
            ],
            'finish',
          ),
        );
        expectProblem(answer, 400, 'malformed-request');
      }
    });
  });

  describe('media types', () => {
    const good = '{"parameters": {"seconds": 0}}';
    it.each<[string, string[]]>([
      ['none', []],
      ['an empty one', ['Content-Type:']],
      ['text/plain', ['Content-Type: text/plain']],
      ['a form', ['Content-Type: application/x-www-form-urlencoded']],
      ['several parts', ['Content-Type: multipart/form-data; boundary=b']],
      ['a broken one', ['Content-Type: application/json/x']],
      ['a list', ['Content-Type: text/plain, application/json']],
      ['__proto__', ['Content-Type: __proto__']],
      ['UTF-16', ['Content-Type: application/json; charset=UTF-16LE']],
      ['gzip', ['Content-Type: application/json', 'Content-Encoding: gzip']],
      ['an unknown encoding', ['Content-Type: application/json', 'Content-Encoding: x']],
      ['two encodings', ['Content-Type: application/json', 'Content-Encoding: gzip, gzip']],
    ])('415 for %s', async (_what, headers) => {
      expectProblem(
        await rows.unchangedBy(() => post(good, headers)),
        415,
        'unsupported-media-type',
      );
    });

    it.each([
      'application/json;charset=utf-8',
      'application/json; charset="UTF-8"',
      'APPLICATION/JSON',
      'application/merge-patch+json',
      'application/json; profile=x',
    ])('303 for %s', async (type) => {
      expect((await post(good, [`Content-Type: ${type}`])).status).toBe(303);
    });

    it('303 for the encoding that is none', async () => {
      const headers = ['Content-Type: application/json', 'Content-Encoding: Identity'];
      expect((await post(good, headers)).status).toBe(303);
    });
  });

  describe('paths', () => {
    const ownJob = () => job.split('/').at(-1) as string;

    it('takes a UUID in upper case for the same one', async () => {
      const upper = job.replace(org, org.toUpperCase()).replace(ownJob(), ownJob().toUpperCase());
      const answer = await get(`${upper}/status`);
      expect(answer.status).toBe(202);
      expect(answer.body.links.cancel).toBe(`http://service.example${job}`);
    });

    it.each<[string, (id: string) => string, number, string]>([
      ['a broken percent-encoding', () => '/%zz', 400, 'malformed-request'],
      ['a broken one in an id', (id) => `${path}/${id}%/status`, 400, 'malformed-request'],
      ['a percent-encoding of no UTF-8', () => `${path}/%ff`, 400, 'malformed-request'],
      ['an id in braces', (id) => `${path}/{${id}}`, 404, 'not-found'],
      ['an id without hyphens', (id) => `${path}/${id.replaceAll('-', '')}`, 404, 'not-found'],
      ['an id of version 4', () => `${path}/${randomUUID()}`, 404, 'not-found'],
      ['%00 after an id', (id) => `${path}/${id}%00`, 404, 'not-found'],
      ['%00 as a topic', () => `/compute/orgs/${org}/%00/sleep/${uuidv7()}`, 404, 'not-found'],
      ['%0d%0a in an id', (id) => `${path}/${id}%0d%0aX-Evil:%201`, 404, 'not-found'],
      ['%2f between', (id) => `/compute/orgs/${org}/diagnostics%2fsleep/${id}`, 404, 'not-found'],
      ['%2f after an id', (id) => `${path}/${id}%2fstatus`, 404, 'not-found'],
      ['a double slash', (id) => `${path}//${id}`, 404, 'not-found'],
      ['a double slash in front', (id) => `/${path}/${id}`, 404, 'not-found'],
      ['a slash behind', (id) => `${path}/${id}/`, 404, 'not-found'],
      ['upper case', (id) => `${path.toUpperCase()}/${id}`, 404, 'not-found'],
      [
        'upper case in a task',
        (id) => `/compute/orgs/${org}/diagnostics/Sleep/${id}`,
        404,
        'not-found',
      ],
      ['.. as a path', (id) => `${path}/../sleep/${id}`, 404, 'not-found'],
      [
        '.. to another organization',
        () => `/compute/orgs/${org}/../${uuidv7()}/tasks`,
        404,
        'not-found',
      ],
      ['.. as an organization', () => `/compute/orgs/../tasks`, 403, 'forbidden'],
      ['%2e%2e as an organization', () => `/compute/orgs/%2e%2e/tasks`, 403, 'forbidden'],
      ['no organization', () => `/compute/orgs//tasks`, 404, 'not-found'],
      ['%00 after the organization', () => `/compute/orgs/${org}%00/tasks`, 403, 'forbidden'],
      ['a path into the files', () => '/docs/..%2f..%2fpackage.json', 404, 'not-found'],
      ['a path of files', () => '/../../../../etc/passwd', 404, 'not-found'],
      ['a semicolon', (id) => `${path}/${id};x=1/status`, 404, 'not-found'],
      ['a segment of 10 kB', () => `${path}/${'a'.repeat(10_000)}`, 404, 'not-found'],
      ['a thousand segments', () => `/compute${'/a'.repeat(1_000)}`, 404, 'not-found'],
      ['20 kB', () => `/${'a'.repeat(20_000)}`, 431, 'header-fields-too-large'],
      ['no slash', () => 'health/live', 400, 'malformed-request'],
    ])('%s', async (_what, target, status, slug) => {
      expectProblem(await rows.unchangedBy(() => get(target(ownJob()))), status, slug);
    });

    it.each<[string, (own: string) => string]>([
      ['a slash behind', (own) => `${own}/`],
      ['two behind', (own) => `${own}//`],
      ['a slash behind a status', (own) => `${own}/status/`],
      ['a slash twice in front', (own) => `/${own}`],
      ['a slash three times inside', (own) => own.replace('/sleep/', '///sleep/')],
      ['a slash twice behind the topic', (own) => own.replace('/sleep', '//sleep')],
      ['a slash twice behind compute', (own) => own.replace('/orgs', '//orgs')],
      ['slashes everywhere, and a query', (own) => `${own.replaceAll('/', '//')}/?a=//b/`],
    ])('names the right address to %s', async (_what, miss) => {
      const target = miss(job);
      const right = `${job}${target.includes('/status') ? '/status' : ''}`;
      const answer = await get(target);
      expectProblem(answer, 404, 'not-found');
      expect(answer.body.detail).toBe(`The path has a slash too many: the address is ${right}.`);
      expect((await get(right)).status).toBe(202);
    });

    it('names the right address of what is public, of the list of tasks, and for a submit', async () => {
      expect((await get('/health/ready/')).body.detail).toContain(' /health/ready.');
      expect((await get('//health//live')).body.detail).toContain(' /health/live.');
      const list = `/compute/orgs/${org}/tasks`;
      expect((await get(`${list}/`)).body.detail).toContain(` ${list}.`);
      const submit = rawRequest(
        `POST ${path}/ HTTP/1.1`,
        [...head, 'Content-Type: application/json'],
        '{"parameters": {"seconds": 0}}',
      );
      const answer = await rows.unchangedBy(() => sendRaw(service.url, submit));
      expectProblem(answer, 404, 'not-found');
      expect(answer.body.detail).toContain(` ${path}.`);
    });

    it('repeats nothing of a path that is nobody’s, or has more than plain characters in it', async () => {
      for (const target of [
        '/no//such',
        '//evil.example/%3Cscript%3E/',
        `${path}//such%20/`,
        '//a/../b/',
        `//${'a'.repeat(600)}/`,
      ]) {
        const answer = await get(target);
        expectProblem(answer, 404, 'not-found');
        expect(answer.body.detail).not.toMatch(/slash too many|evil|script|such/);
      }
    });

    it('tells nobody without a token which tasks there are', async () => {
      for (const task of ['sleep', 'no-such']) {
        const target = `/compute/orgs/${org}/diagnostics/${task}`;
        const answer = await get(`/${target}`, ['Host: a']);
        expectProblem(answer, 404, 'not-found');
        expect(answer.body.detail).toContain(` ${target}.`);
        expect((await get(`${target}/`, ['Host: a'])).body.detail).toContain(` ${target}.`);
      }
    });

    it('ignores a token in the query string', async () => {
      const target = `/compute/orgs/${org}/tasks?access_token=${client.token}&token=${client.token}`;
      expectProblem(await get(target, ['Host: a']), 401, 'unauthorized');
    });

    it('ignores what else is in the query string', async () => {
      const query = '?a=1&a=2&b[c]=1&__proto__[x]=1&%zz=%zz&constructor=1';
      expect((await get(`${job}/status${query}`)).status).toBe(202);
      expect((await get(`/compute/orgs/${org}/tasks${query}`)).status).toBe(200);
    });
  });

  describe('requests that are not HTTP, or strange', () => {
    const lines = (...all: string[]) => `${all.join('\r\n')}\r\n\r\n`;

    it.each<[string, string, number, string]>([
      ['no HTTP', `${MARKER}\r\n\r\n`, 400, 'malformed-request'],
      [
        'the first bytes of TLS',
        '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
        400,
        'malformed-request',
      ],
      ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400, 'malformed-request'],
      ['an unknown version', lines('GET / HTTP/9.9', 'Host: a'), 400, 'malformed-request'],
      ['an unknown method', lines('FROBNICATE / HTTP/1.1', 'Host: a'), 501, 'not-implemented'],
      ['no Host', lines('GET /health/live HTTP/1.1'), 400, 'malformed-request'],
      [
        'two Hosts',
        lines('GET /health/live HTTP/1.1', 'Host: a', 'host: a'),
        400,
        'malformed-request',
      ],
      [
        'two content types',
        lines('GET / HTTP/1.1', 'Host: a', 'Content-Type: a/b', 'Content-Type: application/json'),
        400,
        'malformed-request',
      ],
      [
        'Content-Length with Transfer-Encoding',
        lines('POST / HTTP/1.1', 'Host: a', 'Content-Length: 5', 'Transfer-Encoding: chunked') +
          '0\r\n\r\n',
        400,
        'malformed-request',
      ],
      [
        'two Content-Lengths',
        lines('POST / HTTP/1.1', 'Host: a', 'Content-Length: 5', 'Content-Length: 6'),
        400,
        'malformed-request',
      ],
      [
        'a negative Content-Length',
        lines('POST / HTTP/1.1', 'Host: a', 'Content-Length: -1'),
        400,
        'malformed-request',
      ],
      [
        'an unknown Transfer-Encoding',
        lines('POST / HTTP/1.1', 'Host: a', 'Transfer-Encoding: gzip'),
        400,
        'malformed-request',
      ],
      [
        'a chunk of no number',
        `${lines('POST / HTTP/1.1', 'Host: a', 'Transfer-Encoding: chunked')}zz\r\n`,
        400,
        'malformed-request',
      ],
      ['bare line feeds', 'GET / HTTP/1.1\nHost: a\n\n', 400, 'malformed-request'],
      [
        'a folded header',
        lines('GET / HTTP/1.1', 'Host: a', 'X: 1', ' 2'),
        400,
        'malformed-request',
      ],
      ['a NUL in a header', lines('GET / HTTP/1.1', 'Host: a', 'X: a\0'), 400, 'malformed-request'],
      ['a blank before a colon', lines('GET / HTTP/1.1', 'Host : a'), 400, 'malformed-request'],
      [
        'a header of 20 kB',
        lines('GET / HTTP/1.1', 'Host: a', `X: ${'x'.repeat(20_000)}`),
        431,
        'header-fields-too-large',
      ],
      [
        '2,100 headers',
        lines('GET / HTTP/1.1', 'Host: a', ...Array.from({ length: 2_100 }, () => 'a:b')),
        431,
        'header-fields-too-large',
      ],
      ['TRACE', lines('TRACE /health/live HTTP/1.1', 'Host: a'), 405, 'method-not-allowed'],
      ['PROPFIND', lines('PROPFIND /health/live HTTP/1.1', 'Host: a'), 405, 'method-not-allowed'],
      ['PROPFIND of nothing', lines('PROPFIND /nothing HTTP/1.1', 'Host: a'), 404, 'not-found'],
      [
        'PURGE below the API',
        lines('PURGE /compute/orgs HTTP/1.1', 'Host: a'),
        401,
        'unauthorized',
      ],
      [
        'CONNECT',
        lines('CONNECT elsewhere.example:443 HTTP/1.1', 'Host: a'),
        405,
        'method-not-allowed',
      ],
      ['a method that nobody knows', lines('BREW / HTTP/1.1', 'Host: a'), 501, 'not-implemented'],
      [
        'one below the API',
        lines('SUBMIT /compute/orgs HTTP/1.1', 'Host: a'),
        501,
        'not-implemented',
      ],
      ['OPTIONS of everything', lines('OPTIONS * HTTP/1.1', 'Host: a'), 404, 'not-found'],
      [
        'Expect: junk',
        lines('GET / HTTP/1.1', 'Host: a', 'Expect: junk'),
        417,
        'expectation-failed',
      ],
    ])('%s', async (_what, bytes, status, slug) => {
      const answer = await rows.unchangedBy(() =>
        sendRaw(service.url, Buffer.from(bytes, 'latin1')),
      );
      expectProblem(answer, status, slug);
      if (status === 405) {
        expect(answer.headers.get('allow')).toMatch(/OPTIONS/);
      }
    });

    it('answers a broken request also after a good one on the same connection', async () => {
      const connection = await RawConnection.open(service.url);
      try {
        const good = await connection.send(lines('GET /health/live HTTP/1.1', 'Host: a'));
        expect(good.status).toBe(200);
        expectProblem(await connection.send('BROKEN\r\n\r\n'), 400, 'malformed-request');
      } finally {
        connection.close();
      }
    });

    it('goes on, on the same connection, after a refusal that left a body unread', async () => {
      const connection = await RawConnection.open(service.url);
      try {
        for (const [target, length, status] of [
          ['/compute/orgs/x/a/b', 1_000_000, 401],
          ['/nothing', 1_000_000, 404],
          ['/health/live', 1_000_000, 405],
        ] as const) {
          const request = lines(`POST ${target} HTTP/1.1`, 'Host: a', `Content-Length: ${length}`);
          const answer = await connection.send(request + ' '.repeat(length));
          expect(answer.status).toBe(status);
        }
        const tooLarge = rawRequest(
          `POST ${path} HTTP/1.1`,
          [...head, 'Content-Type: application/json'],
          Buffer.alloc(LIMIT + 1, ' '),
        );
        expectProblem(await connection.send(tooLarge), 413, 'payload-too-large');
        const next = await connection.send(lines('GET /health/live HTTP/1.1', 'Host: a'));
        expect(next.status).toBe(200);
      } finally {
        connection.close();
      }
    });

    it('ignores X-HTTP-Method-Override', async () => {
      const headers = [...head, 'X-HTTP-Method-Override: DELETE', 'X-Method-Override: DELETE'];
      expect((await get(job, headers)).status).toBe(202);
      expect((await get(`${job}/status`)).body.status).toBe('requested');
    });

    it('does not upgrade', async () => {
      const headers = [...head, 'Connection: Upgrade', 'Upgrade: websocket'];
      expect((await get(`${job}/status`, headers)).status).toBe(202);
    });

    it('takes HTTP/1.0 without a Host', async () => {
      const answer = await sendRaw(
        service.url,
        rawRequest(`GET ${job}/status HTTP/1.0`, head.slice(1)),
      );
      expect(answer.body.links.cancel).toBe(`http://localhost${job}`);
    });
  });

  describe('what links and logs repeat', () => {
    const linkFor = async (...headers: string[]): Promise<string> =>
      (await get(`${job}/status`, [...headers, head[1] as string])).body.links.cancel;

    it('does not repeat a Host that is none', async () => {
      for (const host of [`"><script>${MARKER}`, `a/${MARKER}`, `a@${MARKER}?`, `${MARKER}#`, '']) {
        expect(await linkFor(`Host: ${host}`)).toBe(`http://localhost${job}`);
      }
    });

    it('ignores X-Forwarded-* from whoever is no trusted proxy', async () => {
      const link = await linkFor(
        'Host: service.example',
        'X-Forwarded-Host: evil.example',
        'X-Forwarded-Proto: https',
        'Forwarded: host=evil.example;proto=https',
        'X-Forwarded-Prefix: /evil',
      );
      expect(link).toBe(`http://service.example${job}`);
    });

    it('believes X-Forwarded-Host and -Proto when the proxy is trusted', async () => {
      const behind = await startService(database.url, { ROLE: 'api', TRUST_PROXY: 'true' });
      try {
        const answer = await sendRaw(
          behind.url,
          rawRequest(`GET ${job}/status HTTP/1.1`, [
            ...head,
            'X-Forwarded-Host: public.example',
            'X-Forwarded-Proto: https',
          ]),
        );
        expect(answer.body.links.cancel).toBe(`https://public.example${job}`);
      } finally {
        await behind.stop();
      }
    });

    it('makes a request id of its own when the given one is not well-formed', async () => {
      for (const id of ['x'.repeat(129), `a b ${MARKER}`, `{"level":60,"m":"${MARKER}"}`]) {
        const answer = await get('/nothing', [...head, `X-Request-Id: ${id}`]);
        expect(answer.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
      }
      const twice = await get('/nothing', [
        ...head,
        'X-Request-Id: first-id',
        'X-Request-Id: other',
      ]);
      expect(twice.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    });

    it('logs a path in one line, whatever is in it, and never its query', async () => {
      const id = 'log-injection-1';
      await get(`/a%0a{"level":60}"\x7f?secret=${MARKER}`, [...head, `X-Request-Id: ${id}`]).catch(
        () => undefined,
      );
      await get(`/b%0d%0a{%22level%22:60}?secret=${MARKER}`, [...head, `X-Request-Id: ${id}`]);
      await expect
        .poll(() => service.logLines().find(({ request }) => request === id))
        .toMatchObject({ path: '/b%0d%0a{%22level%22:60}', status: 404 });
      expect(service.logLines().some(({ level }) => level === 60)).toBe(false);
    });
  });
});
