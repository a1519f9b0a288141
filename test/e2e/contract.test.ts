import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client } from '../support/client.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { type Service, startService } from '../support/service.js';
import { token } from '../support/tokens.js';

const SDK = { 'evo-sdk-source': 'evo-compute@v0.0.6' };
const UUID_V7 = /[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/;

describe('the wire contract', () => {
  const org = randomUUID();
  let database: TestDatabase;
  let service: Service;
  let client: Client;

  beforeAll(async () => {
    database = await createTestDatabase();
    service = await startService(database.url, { WORKER_SLOTS: '4' });
    client = new Client(service.url, org, await token(org));
  });

  afterAll(async () => {
    await service?.stop();
    await database?.drop();
  });

  const execute = (parameters: object, headers = {}) =>
    client.execute('diagnostics/sleep', { parameters }, headers);

  describe('execute', () => {
    it('answers 303 with the path of the status and no body', async () => {
      const answer = await execute({ seconds: 0 });
      expect(answer.status).toBe(303);
      expect(answer.text).toBe('');
      expect(answer.headers.get('content-length')).toBe('0');
      expect(answer.headers.get('location')).toMatch(
        new RegExp(`^/compute/orgs/${org}/diagnostics/sleep/${UUID_V7.source}/status$`),
      );
    });

    it('ignores unknown members beside the parameters, and the preview header', async () => {
      const body = { parameters: { seconds: 0 }, org_id: randomUUID(), status: 'succeeded' };
      const answer = await client.execute('diagnostics/sleep', body, { 'api-preview': 'opt-in' });
      expect(answer.status).toBe(303);
    });

    it('has the job stored before it answers', async () => {
      const location = (await execute({ seconds: 0 })).headers.get('location') as string;
      expect((await client.get(location)).status).toBeLessThan(300);
    });

    it('takes an upper-case organization for the same one', async () => {
      const answer = await client.request(
        'POST',
        `/compute/orgs/${org.toUpperCase()}/diagnostics/sleep`,
        { headers: { 'content-type': 'application/json' }, body: '{"parameters":{"seconds":0}}' },
      );
      expect(answer.headers.get('location')).toContain(`/orgs/${org}/`);
    });

    it('takes JSON types with a suffix, a charset, and a byte order mark', async () => {
      for (const [type, mark] of [
        ['application/vnd.api+json', ''],
        ['application/json; charset=UTF-8', ''],
        ['application/json', '\uFEFF'],
      ] as const) {
        const body = `${mark}{"parameters":{"seconds":0}}`;
        const answer = await client.execute('diagnostics/sleep', body, { 'content-type': type });
        expect(answer.status).toBe(303);
      }
    });
  });

  describe('status', () => {
    it('tells progress while the job is ongoing, with 202, Retry-After and a cancel link', async () => {
      const job = await client.submit('diagnostics/sleep', { seconds: 1.5, steps: 30 });
      await client.waitFor(job, ({ progress }) => progress > 0);
      const answer = await client.get(`${job}/status`);
      expect(answer.status).toBe(202);
      expect(answer.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
      expect(answer.body.status).toBe('in progress');
      expect(Number.isInteger(answer.body.progress)).toBe(true);
      expect(answer.body.message).toEqual(expect.any(String));
      expect(answer.body.links).toEqual({ cancel: service.url + job });
      expect(answer.body).not.toHaveProperty('error');
    });

    it('never lets progress fall, and ends at 100 with 200 and a result link', async () => {
      const job = await client.submit('diagnostics/sleep', { seconds: 1, steps: 50 });
      const seen: number[] = [];
      const last = await client.waitFor(job, ({ progress, links }) => {
        seen.push(progress);
        return 'result' in links;
      });
      expect(seen).toEqual([...seen].sort((one, other) => one - other));
      expect(last).toMatchObject({
        status: 'succeeded',
        progress: 100,
        links: { result: service.url + job },
      });
      const answer = await client.get(`${job}/status`);
      expect(answer.status).toBe(200);
      expect(answer.headers.get('retry-after')).toBeNull();
    });

    it('shows the problem of a failed job', async () => {
      const fail = { status: 422, title: 'No ore.', detail: 'There is none here.' };
      const job = await client.submit('diagnostics/sleep', { seconds: 0, fail });
      const status = await client.ended(job);
      expect(status.status).toBe('failed');
      expect(status.error).toMatchObject({
        ...fail,
        type: expect.stringMatching(/\/task-failed$/),
      });
    });
  });

  describe('results', () => {
    it('answers 202 with links while the job is ongoing', async () => {
      const job = await client.submit('diagnostics/sleep', { seconds: 30 });
      await client.waitFor(job, ({ status }) => status === 'in progress');
      const answer = await client.get(job);
      expect(answer.status).toBe(202);
      expect(answer.body).toEqual({
        status: 'in progress',
        links: { cancel: service.url + job, status: `${service.url}${job}/status` },
      });
      await client.delete(job);
    });

    it('answers 200 with the results of a succeeded job', async () => {
      const job = await client.submit('diagnostics/sleep', { seconds: 0 });
      await client.ended(job);
      const answer = await client.get(job);
      expect(answer.status).toBe(200);
      expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
      expect(answer.body).toEqual({
        status: 'succeeded',
        results: expect.objectContaining({ message: expect.any(String) }),
      });
    });

    it('answers 200 with the error of a failed job, all three members always there', async () => {
      const job = await client.submit('diagnostics/sleep', { seconds: 0, fail: true });
      await client.ended(job);
      const answer = await client.get(job);
      expect(answer.status).toBe(200);
      expect(answer.body).toEqual({
        status: 'failed',
        error: {
          status: 500,
          type: expect.stringMatching(/\/task-failed$/),
          title: expect.any(String),
          detail: expect.any(String),
        },
      });
      expect(answer.text).not.toMatch(/at .*\(|\.js|asked to fail/);
      // What the process wrote may arrive after its answer.
      await expect.poll(() => service.log()).toContain('asked to fail');
    });
  });

  describe('cancel', () => {
    it('really stops a thread that never yields, answers 204 without a body, and is repeatable', async () => {
      const job = await client.submit('diagnostics/spin', { seconds: 600 });
      await client.waitFor(job, ({ status }) => status === 'in progress');
      for (let time = 0; time < 2; time += 1) {
        const answer = await client.delete(job);
        expect([answer.status, answer.text]).toEqual([204, '']);
      }
      const status = await client.ended(job);
      expect(status.status).toBe('canceled');
      expect(status.error.type).toMatch(/\/job-canceled$/);
      expect((await client.get(job)).body).toEqual({ status: 'canceled', error: status.error });
      const before = cpuTicks(service.pid);
      await new Promise((resolve) => setTimeout(resolve, 2_000));
      // A hundredth of a second each: the loop alone would have used two hundred.
      expect(cpuTicks(service.pid) - before).toBeLessThan(100);
    });

    it('ends an unstarted job at once', async () => {
      const blockers = await Promise.all(
        Array.from({ length: 4 }, () => client.submit('diagnostics/sleep', { seconds: 60 })),
      );
      await Promise.all(
        blockers.map((job) => client.waitFor(job, ({ status }) => status === 'in progress')),
      );
      const job = await client.submit('diagnostics/sleep', { seconds: 60 });
      expect((await client.get(`${job}/status`)).body.status).toBe('requested');
      expect((await client.delete(job)).status).toBe(204);
      expect((await client.get(`${job}/status`)).body.status).toBe('canceled');
      await Promise.all(blockers.map((blocker) => client.delete(blocker)));
    });

    it('changes nothing of an ended job', async () => {
      const job = await client.submit('diagnostics/sleep', { seconds: 0 });
      const before = await client.ended(job);
      expect((await client.delete(job)).status).toBe(204);
      expect((await client.get(`${job}/status`)).body).toEqual(before);
    });
  });

  describe('spelling', () => {
    it('doubles the l for clients that name their SDK, and for nobody else', async () => {
      const job = await client.submit('diagnostics/sleep', { seconds: 60 });
      await client.delete(job);
      await client.ended(job);
      for (const path of [job, `${job}/status`]) {
        const plain = await client.get(path);
        const sdk = await client.get(path, SDK);
        expect(plain.body.status).toBe('canceled');
        expect(sdk.body.status).toBe('cancelled');
        expect(plain.headers.get('vary')?.toLowerCase()).toContain('evo-sdk-source');
        expect(sdk.body.error).toEqual(plain.body.error);
      }
    });
  });

  describe('catalogue', () => {
    it('lists the tasks, sorted, without schemas', async () => {
      const { body } = await client.get('tasks');
      expect(body).toMatchObject({ limit: 100, offset: 0, total: 6, count: 6 });
      expect(body.results.map(({ key }: { key: string }) => key)).toEqual([
        'diagnostics/sleep',
        'diagnostics/spin',
        'geostatistics/cross-validation',
        'geostatistics/idw',
        'geostatistics/kriging',
        'geostatistics/variogram',
      ]);
      expect(Object.keys(body.results[0]).sort()).toEqual(
        ['description', 'display_name', 'key', 'name', 'topic', 'version'].sort(),
      );
    });

    it('adds JSON Schemas with details, and pages', async () => {
      const { body } = await client.get('tasks?details=true&limit=2&offset=3');
      expect(body).toMatchObject({ limit: 2, offset: 3, total: 6, count: 2 });
      expect(body.results[0].parameters).toMatchObject({
        $schema: 'https://json-schema.org/draft/2020-12/schema',
        type: 'object',
      });
      expect(body.results[0].results.type).toBe('object');
    });

    it.each(['limit=0', 'limit=abc', 'limit=1&limit=2', 'offset=-1', 'details=maybe'])(
      'refuses ?%s',
      async (query) => {
        const answer = await client.get(`tasks?${query}`);
        expect(answer.status).toBe(400);
        expect(answer.body['invalid-params'][0].name).toBe(query.split('=')[0]);
      },
    );
  });

  it('carries X-Request-Id: the given one when well-formed, else a new one', async () => {
    const given = await client.get('tasks', { 'x-request-id': 'my-request-0001' });
    expect(given.headers.get('x-request-id')).toBe('my-request-0001');
    const made = await client.get('tasks', { 'x-request-id': 'no good' });
    expect(made.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('keeps idle connections open longer than a minute', async () => {
    const { headers } = await client.get('tasks');
    expect(Number(/timeout=(\d+)/.exec(headers.get('keep-alive') ?? '')?.[1])).toBeGreaterThan(60);
  });

  it('logs each transition of a job in one line', async () => {
    const job = await client.submit('diagnostics/sleep', { seconds: 0 });
    await client.ended(job);
    const id = job.split('/').at(-1);
    const transitions = () =>
      service
        .logLines()
        .filter((line) => line.job === id)
        .map(({ transition, from, to }) => [transition, from, to]);
    await expect.poll(transitions).toEqual([
      ['create', undefined, 'requested'],
      ['claim', 'requested', 'in progress'],
      ['succeed', 'in progress', 'succeeded'],
    ]);
  });
});

describe('links', () => {
  it('use PUBLIC_URL with its prefix, and Location only the prefix', async () => {
    const org = randomUUID();
    const database = await createTestDatabase();
    const service = await startService(database.url, {
      PUBLIC_URL: 'https://compute.example/headframe/',
    });
    try {
      const client = new Client(service.url, org, await token(org));
      const answer = await client.execute('diagnostics/sleep', { parameters: { seconds: 60 } });
      const location = answer.headers.get('location') as string;
      expect(location).toMatch(new RegExp(`^/headframe/compute/orgs/${org}/`));
      const { body } = await client.get(location.replace('/headframe', ''));
      expect(body.links.cancel).toMatch(
        new RegExp(`^https://compute\\.example/headframe/compute/orgs/${org}/`),
      );
    } finally {
      await service.stop();
      await database.drop();
    }
  });
});

/** Processor time that a process has used, in hundredths of a second. */
function cpuTicks(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return Number(fields[11]) + Number(fields[12]);
}
