import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { type ClientSettings, HeadframeClient, HeadframeError, type Job } from 'headframe-client';
import { afterEach, describe, expect, it } from 'vitest';

/** What stands between the client and the service, or in its place: answers as it is told to. */
type Reply = (response: ServerResponse, count: number) => void;

const job: Job = { task: 'diagnostics/sleep', id: randomUUID() };
const opened: { close(): void }[] = [];

afterEach(() => {
  opened.splice(0).forEach((each) => each.close());
});

async function clientOf(reply: Reply, settings: Partial<ClientSettings> = {}) {
  const paths: string[] = [];
  const server = createServer((request, response) => {
    paths.push(request.url as string);
    request.resume().on('end', () => reply(response, paths.length));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  opened.push({
    close() {
      server.close();
      server.closeAllConnections();
    },
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    paths,
    client: new HeadframeClient({
      url,
      org: randomUUID(),
      token: 'any',
      patienceMs: 0,
      ...settings,
    }),
    url,
  };
}

const send =
  (status: number, headers: Record<string, string>, body = ''): Reply =>
  (response) =>
    response.writeHead(status, headers).end(body);

const SUCCEEDED = JSON.stringify({ status: 'succeeded', progress: 100, links: {} });
const JSON_TYPE = { 'content-type': 'application/json' };

describe('an answer that is none of the Task API', () => {
  it.each([
    ['a page of a proxy', send(502, {}, '<html>Bad gateway</html>'), 'RequestError'],
    ['nothing but a code', send(500, {}), 'RequestError'],
    ['JSON that is no problem', send(404, JSON_TYPE, '{"error": "no"}'), 'RequestError'],
    ['JSON that is no object', send(404, JSON_TYPE, 'null'), 'RequestError'],
    ['a login page', send(302, { location: '/login' }), 'UnexpectedAnswerError'],
    ['a page with 200', send(200, {}, '<html>Welcome</html>'), 'UnexpectedAnswerError'],
    ['JSON that is no object, with 200', send(200, JSON_TYPE, 'null'), 'UnexpectedAnswerError'],
    ['JSON of something else', send(200, JSON_TYPE, '{"ok": true}'), 'UnexpectedAnswerError'],
    ['half of an answer', (response) => broken(response), 'ConnectionError'],
    ['no answer', (response) => response.destroy(), 'ConnectionError'],
  ] satisfies [string, Reply, string][])('%s is told as what it is', async (_, reply, name) => {
    const { client, paths } = await clientOf(reply);
    const error = await client.status(job).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(HeadframeError);
    expect(error).toMatchObject({ name });
    expect((error as Error).message).not.toBe('');
    expect(paths).toHaveLength(1);
  });

  it.each([
    ['no Location', send(303, {})],
    ['a Location that is no status', send(303, { location: '/elsewhere' })],
    ['200 instead of 303', send(200, JSON_TYPE, SUCCEEDED)],
  ])('%s, after a submit, is no job', async (_, reply) => {
    const { client } = await clientOf(reply);
    const submit = client.submit('diagnostics/sleep', { seconds: 0 });
    await expect(submit).rejects.toMatchObject({ name: 'UnexpectedAnswerError' });
  });

  it('an answer that does not come in time is given up, and asked for again', async () => {
    const { client, paths } = await clientOf(
      (response, count) => {
        if (count > 1) send(200, JSON_TYPE, SUCCEEDED)(response, count);
      },
      { timeoutMs: 200, patienceMs: 60_000 },
    );
    expect((await client.status(job)).status).toBe('succeeded');
    expect(paths.length).toBeGreaterThan(1);
  });

  it('a signal ends a request under way, with its reason', async () => {
    const given = new AbortController();
    const reason = new Error('enough');
    const { client } = await clientOf(() => given.abort(reason));
    await expect(client.status(job, { signal: given.signal })).rejects.toBe(reason);
  });
});

describe('Retry-After', () => {
  it.each([
    ['seconds', () => '1'],
    ['a date', () => new Date(Date.now() + 1_000).toUTCString()],
    ['a date that is past', () => new Date(0).toUTCString()],
    ['nothing that one could read', () => 'soon'],
  ])('may be %s', async (_, retryAfter) => {
    const { client, paths } = await clientOf(
      (response, count) => {
        const headers = { 'retry-after': retryAfter() };
        if (count === 1) send(503, headers)(response, count);
        else send(200, JSON_TYPE, SUCCEEDED)(response, count);
      },
      { patienceMs: 60_000 },
    );
    expect((await client.status(job)).status).toBe('succeeded');
    expect(paths).toHaveLength(2);
  });

  it('that is longer than the patience ends the call with the refusal', async () => {
    const reply = send(429, { 'retry-after': '3600' });
    const { client, paths } = await clientOf(reply, { patienceMs: 60_000 });
    await expect(client.status(job)).rejects.toMatchObject({
      status: 429,
      retryAfterSeconds: 3600,
    });
    expect(paths).toHaveLength(1);
  });

  it('without which a service that stays busy is asked ever less often, and not for ever', async () => {
    const { client, paths } = await clientOf(send(503, {}), { patienceMs: 2_000 });
    await expect(client.status(job)).rejects.toMatchObject({ status: 503 });
    expect(paths.length).toBeGreaterThan(1);
    // 200, 400 and 800 ms: no fifth attempt starts within two seconds, whatever is added to them.
    expect(paths.length).toBeLessThanOrEqual(4);
  });
});

it('what a refusal is, is not asked twice: only what may pass', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 400, max: 599 }), async (status) => {
      // fetch itself makes a broken connection of 407, and asks again after 421, as its standard wants.
      fc.pre(![407, 408, 421, 409, 425, 429, 502, 503, 504].includes(status));
      const { client, paths } = await clientOf(send(status, {}), { patienceMs: 60_000 });
      await expect(client.status(job)).rejects.toMatchObject({ name: 'RequestError', status });
      expect(paths).toHaveLength(1);
    }),
    { numRuns: 30 },
  );
});

it.each(['', '/', '/api', '/api/', '/a/b//', '/api?x=1#y'])(
  'an address may end in %j',
  async (end) => {
    const { url, paths } = await clientOf(send(200, JSON_TYPE, SUCCEEDED));
    const org = randomUUID();
    const client = new HeadframeClient({ url: url + end, org, token: 'any', patienceMs: 0 });
    await client.status(job);
    const prefix = end.replace(/[?#].*/, '').replace(/\/+$/, '');
    expect(paths).toEqual([`${prefix}/compute/orgs/${org}/diagnostics/sleep/${job.id}/status`]);
  },
);

function broken(response: ServerResponse): void {
  response.writeHead(200, { 'content-length': '1000' });
  response.write('{"status": ', () => response.destroy());
}
