import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { expectProblem } from '../support/problems.js';
import { type RawAnswer, RawConnection, rawRequest, sendRaw } from '../support/raw-http.js';
import { type Service, startService } from '../support/service.js';
import { token } from '../support/tokens.js';

const LIMIT = 65_536;
/** Far more than the buffers of a connection hold: the client is in the middle of it when it is refused. */
const LARGE = Buffer.alloc(24 * 1024 * 1024, 'x');

describe('bodies that nobody wants', () => {
  const org = randomUUID();
  let database: TestDatabase;
  let service: Service;
  let bearer: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    service = await startService(database.url, { ROLE: 'api', BODY_LIMIT_BYTES: String(LIMIT) });
    bearer = await token(org);
  });
  afterAll(async () => {
    await service?.stop();
    await database?.drop();
  });

  interface Refusal {
    readonly path?: string;
    readonly authorization?: string;
    readonly type?: string;
    readonly more?: readonly string[];
  }

  const head = ({ path, authorization, type, more = [] }: Refusal, length: string): Buffer =>
    rawRequest(`POST ${path ?? `/compute/orgs/${org}/diagnostics/sleep`} HTTP/1.1`, [
      'Host: service.example',
      `Authorization: ${authorization ?? `Bearer ${bearer}`}`,
      `Content-Type: ${type ?? 'application/json'}`,
      length,
      ...more,
    ]);

  const refusals: [string, Refusal, number, string][] = [
    ['a forged token', { authorization: 'Bearer forged' }, 401, 'unauthorized'],
    ['no token', { authorization: '' }, 401, 'unauthorized'],
    [
      "another's organization",
      { path: `/compute/orgs/${randomUUID()}/diagnostics/sleep` },
      403,
      'forbidden',
    ],
    ['an unknown task', { path: `/compute/orgs/${org}/diagnostics/no-such` }, 404, 'not-found'],
    ['an unknown path', { path: '/no/such/path' }, 404, 'not-found'],
    ['a path without the method', { path: '/health/live' }, 405, 'method-not-allowed'],
    ['an Accept without JSON', { more: ['Accept: text/html'] }, 406, 'not-acceptable'],
    ['another media type', { type: 'text/csv' }, 415, 'unsupported-media-type'],
    ['compression', { more: ['Content-Encoding: gzip'] }, 415, 'unsupported-media-type'],
    ['a malformed key', { more: ['Idempotency-Key: é'] }, 400, 'malformed-request'],
    ['a header twice', { more: ['Authorization: Bearer x'] }, 400, 'malformed-request'],
    ['a size over the limit', {}, 413, 'payload-too-large'],
  ];

  it.each(refusals)(
    'with %s are refused before a client that waits for 100 Continue sends them',
    async (_what, refusal, status, slug) => {
      const length = `Content-Length: ${status === 413 ? LIMIT + 1 : 20}`;
      const answer = await sendRaw(
        service.url,
        head({ ...refusal, more: [...(refusal.more ?? []), 'Expect: 100-continue'] }, length),
      );
      expectProblem(answer, status, slug);
      expect(answer.interim).toEqual([]);
      expect(answer.headers.get('connection')).toBe('close');
    },
  );

  it('of clients that wait for 100 Continue are asked for once they are wanted', async () => {
    const connection = await RawConnection.open(service.url);
    const body = '{"parameters": {"seconds": 0}}';
    for (const framing of [`Content-Length: ${body.length}`, 'Transfer-Encoding: chunked']) {
      const chunked = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
      const answer = await connection.send([
        head({ more: ['Expect: 100-continue'] }, framing),
        framing.startsWith('C') ? body : chunked,
      ]);
      expect([answer.interim, answer.status]).toEqual([[100], 303]);
      expect(answer.headers.get('connection')).not.toBe('close');
    }
    connection.close();
  });

  /** Sends all of a request before it reads anything, as simple clients do. */
  async function sendAllFirst(parts: readonly Buffer[]): Promise<string> {
    const socket = connect(Number(new URL(service.url).port), '127.0.0.1');
    await once(socket, 'connect');
    socket.pause();
    for (const part of parts) {
      await new Promise<void>((resolve, reject) => {
        socket.once('error', reject);
        socket.write(part, (error) => (error ? reject(error) : resolve()));
      });
    }
    const received: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => received.push(chunk));
    socket.resume();
    await once(socket, 'close');
    return Buffer.concat(received).toString();
  }

  it.each(refusals)(
    'with %s are answered, not reset, though the connection is closed behind the answer',
    async (_what, refusal, status, slug) => {
      const declared = head(
        { ...refusal, more: [...(refusal.more ?? []), 'Connection: close'] },
        `Content-Length: ${LARGE.length}`,
      );
      const text = await sendAllFirst([declared, LARGE]);
      expect(text.slice(0, 13)).toBe(`HTTP/1.1 ${status} `);
      expect(text).toContain(`problem/${slug}"`);
    },
  );

  it('in chunks of which nobody knew the sum are 413, not a reset', async () => {
    const size = `${LARGE.length.toString(16)}\r\n`;
    const begin = head({ more: ['Connection: close'] }, 'Transfer-Encoding: chunked');
    const text = await sendAllFirst([
      begin,
      Buffer.from(size),
      LARGE,
      Buffer.from('\r\n0\r\n\r\n'),
    ]);
    expect(text).toMatch(/^HTTP\/1\.1 413 /);
  });

  it('with headers that are too large are 431, not a reset', async () => {
    const begin = Buffer.from(`GET / HTTP/1.1\r\nHost: a\r\nX: `);
    expect(await sendAllFirst([begin, LARGE.subarray(0, 4 * 1024 * 1024)])).toMatch(
      /^HTTP\/1\.1 431 /,
    );
  });

  it('over the limit leave a connection that stays open as good as it was', async () => {
    const connection = await RawConnection.open(service.url);
    const refused = await connection.send([head({}, `Content-Length: ${LARGE.length}`), LARGE]);
    expect(refused.status).toBe(413);
    const next: RawAnswer = await connection.send(
      rawRequest('GET /health/live HTTP/1.1', ['Host: a']),
    );
    expect(next.status).toBe(200);
    connection.close();
  });

  it('hide no request behind the last answer of a connection', async () => {
    const body = '{"parameters": {"seconds": 0}}';
    const submit = Buffer.concat([head({}, `Content-Length: ${body.length}`), Buffer.from(body)]);
    const last = head({ authorization: 'Bearer forged', more: ['Connection: close'] }, 'X-None: 1');
    const created = () =>
      service.logLines().filter(({ transition }) => transition === 'create').length;
    const before = created();
    const text = await sendAllFirst([last, submit]);
    expect(text.match(/HTTP\/1\.1 /g)).toHaveLength(1);
    expect(created()).toBe(before);
  });

  it('do not hold up the end of the service', async () => {
    const other = await startService(database.url, { ROLE: 'api' });
    const socket = connect(Number(new URL(other.url).port), '127.0.0.1');
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    socket.write(head({ more: ['Connection: close'], authorization: '' }, 'Content-Length: 9999'));
    await once(socket, 'data');
    expect(await other.end('SIGTERM')).toBe(0);
  });
});
