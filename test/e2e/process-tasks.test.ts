import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Validator } from '@seriousme/openapi-schema-validator';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client } from '../support/client.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { expectProblem } from '../support/problems.js';
import { isRunning, manifest, tasksFolder } from '../support/process-tasks.js';
import { runService, type Service, startService } from '../support/service.js';
import { token } from '../support/tokens.js';

/** On a machine that has other things to do, too. */
const PATIENCE_MS = 60_000;

/** Tells its pid and that of a daemon it forks, then works for ever; SIGTERM does not interest it. */
const STUBBORN = `trap '' TERM
setsid sh -c 'echo $$ > daemon.new; mv daemon.new daemon; while :; do sleep 1; done' </dev/null &
while ! test -e daemon; do sleep 0.02; done
echo "working in $PWD" >&2
echo "{\\"progress\\": 5, \\"message\\": \\"$$ $(cat daemon)\\"}"
while :; do sleep 0.05; done`;

const TASKS = {
  'depths/sum': manifest({
    topic: 'depths',
    name: 'sum',
    command: [
      'awk',
      `{ gsub(/[^0-9.,]/, ""); n = split($0, d, ","); for (i = 1; i <= n; i++) s += d[i]
         print "added " n " depths" > "/dev/stderr"
         printf "{\\"results\\": {\\"message\\": \\"added\\", \\"sum\\": %g}}\\n", s }`,
    ],
    parameters: {
      type: 'object',
      additionalProperties: false,
      required: ['depths'],
      properties: { depths: { type: 'array', maxItems: 1000, items: { $ref: '#/$defs/depth' } } },
      $defs: { depth: { type: 'number', minimum: 0 } },
    },
    results: {
      type: 'object',
      required: ['sum'],
      properties: { message: { type: 'string' }, sum: { type: 'number' } },
    },
    example: { depths: [1, 2.5] },
  }),
  stubborn: manifest({
    name: 'stubborn',
    command: ['/bin/sh', '-c', STUBBORN],
    cancel: ['/bin/sh', '-c', 'echo {name} >> {folder}/canceled'],
    grace_seconds: 0.3,
  }),
  later: manifest({
    name: 'later',
    command: [
      '/bin/sh',
      '-c',
      `echo "attempt $HEADFRAME_ATTEMPT" >&2
       test "$HEADFRAME_ATTEMPT" = 1 && echo '{"retry_later": 1}' || echo '{"results": {}}'`,
    ],
  }),
  preview: manifest({ name: 'preview', feature_flag: 'soon' }),
  broken: '{ "topic": ',
  wrong: manifest({ name: 'wrong', comand: ['x'], env: ['DATABASE_URL'] }),
};

describe('tasks of manifests', () => {
  const org = randomUUID();
  const other = randomUUID();
  /** The services' temporary folder: what they leave there is seen. */
  const temporary = mkdtempSync(join(tmpdir(), 'headframe-test-'));
  const folder = tasksFolder(TASKS);
  const environment = { TASKS_DIR: folder, TMPDIR: temporary };
  let database: TestDatabase;
  let service: Service;
  let client: Client;
  let stranger: Client;

  beforeAll(async () => {
    database = await createTestDatabase();
    service = await startService(database.url, environment);
    client = new Client(service.url, org, await token(org));
    stranger = new Client(service.url, other, await token(other));
  });
  afterAll(async () => {
    await service?.stop();
    await database?.drop();
    rmSync(temporary, { recursive: true, force: true });
    rmSync(folder, { recursive: true, force: true });
  });

  it('are in the catalogue with their own schemas, beside those of the service', async () => {
    const { results } = (await client.get('tasks?details=true')).body;
    const keys = results.map(({ key }: { key: string }) => key);
    expect(keys).toEqual(
      expect.arrayContaining(['depths/sum', 'diagnostics/sleep', 'test/preview', 'test/stubborn']),
    );
    expect(keys).not.toContain('test/wrong');
    const sum = results.find(({ key }: { key: string }) => key === 'depths/sum');
    expect(sum.parameters).toEqual(TASKS['depths/sum'].parameters);
    expect(results.find(({ key }: { key: string }) => key === 'test/preview').feature_flag).toBe(
      'soon',
    );
  });

  it('that are wrong are told at the start, with file and place', () => {
    const lines = service.logLines().filter(({ context }) => context === 'Manifests');
    expect(lines).toEqual([
      expect.objectContaining({
        level: 50,
        file: 'broken/task.json',
        faults: [expect.stringMatching(/^is not JSON/)],
      }),
      expect.objectContaining({
        file: 'wrong/task.json',
        faults: [
          expect.stringMatching(/^env\[0\]: is the service's own/),
          'comand: is not a known member',
        ],
      }),
    ]);
  });

  it('are in a valid OpenAPI document, with references that lead somewhere', async () => {
    const document = (await client.get('/openapi.json')).body;
    expect(await new Validator().validate(document)).toEqual({ valid: true });
    const { DepthsSumParameters } = document.components.schemas;
    expect(DepthsSumParameters.properties.depths.items).toEqual({
      $ref: '#/components/schemas/DepthsSumParameters/$defs/depth',
    });
    expect(document.paths['/compute/orgs/{org_id}/depths/sum'].post.requestBody).toMatchObject({
      content: { 'application/json': { examples: { sum: { value: { parameters: {} } } } } },
    });
  });

  it('run, and their log can be read, page by page, by their organization alone', async () => {
    const job = await client.submit('depths/sum', { depths: [1, 2, 3.5] });
    expect(await client.ended(job)).toMatchObject({ status: 'succeeded', message: 'added' });
    expect((await client.get(job)).body.results).toEqual({ message: 'added', sum: 6.5 });
    const page = await client.get(`${job}/logs`);
    expect(page.status).toBe(200);
    expect(page.headers.get('cache-control')).toBe('no-store');
    expect(page.body).toEqual({
      logs: [{ attempt: 1, number: 1, at: expect.stringMatching(/Z$/), text: 'added 3 depths\n' }],
      after: '1.1',
      more: false,
    });
    expect((await client.get(`${job}/logs?after=1.1`)).body).toEqual({
      logs: [],
      after: '1.1',
      more: false,
    });
    const foreign = job.replace(org, other);
    expectProblem(await stranger.get(`${foreign}/logs`), 404, 'not-found');
    expectProblem(await stranger.get(`${job}/logs`), 403, 'forbidden');
    expectProblem(
      await client.get(`${job.replace('depths/sum', 'depths/other')}/logs`),
      404,
      'not-found',
    );
    const blind = new Client(service.url, org, await token(org, { scope: 'compute:execute' }));
    expectProblem(await blind.get(`${job}/logs`), 403, 'forbidden');
    for (const query of ['after=x', 'after=1', 'limit=0', 'limit=101', 'after=1.1&after=1.2']) {
      expectProblem(await client.get(`${job}/logs?${query}`), 400, 'malformed-request');
    }
  });

  it('refuse parameters with a place, and leave the value out', async () => {
    const answer = await client.execute('depths/sum', { parameters: { depths: [1, 'secret'] } });
    expectProblem(answer, 422, 'invalid-parameters');
    expect(answer.body['invalid-params']).toEqual([
      { name: 'parameters.depths[1]', reason: 'must be number' },
    ]);
    expect(answer.text).not.toContain('secret');
    expectProblem(await client.execute('test/preview', { parameters: {} }), 400, 'preview-api');
  });

  it('are run again when they ask for it, and keep the log of each attempt', async () => {
    const job = await client.submit('test/later', {});
    expect((await client.ended(job, PATIENCE_MS)).status).toBe('succeeded');
    const { logs } = (await client.get(`${job}/logs`)).body;
    expect(logs.map(({ text }: { text: string }) => text)).toEqual(['attempt 1\n', 'attempt 2\n']);
    expect((await client.get(`${job}/detail`)).body).toMatchObject({ attempt: 2, failures: 0 });
  }, 90_000);

  /** Submits the stubborn task. @returns its processes, once they run */
  async function stubborn(by: Client) {
    const job = await by.submit('test/stubborn', {});
    const { message } = await by.waitFor(job, ({ progress }) => progress > 0, PATIENCE_MS);
    const pids = message.split(' ').map(Number);
    expect(pids.map(isRunning)).toEqual([true, true]);
    const text = () => by.get(`${job}/logs`).then(({ body }) => body.logs[0]?.text ?? '');
    await expect.poll(text, { timeout: PATIENCE_MS }).toMatch(/^working in /);
    return { job, message, pids, folder: (await text()).slice('working in '.length, -1) };
  }

  /** What the cancel commands of the stubborn task have written. */
  const canceled = () => {
    const file = join(folder, 'stubborn', 'canceled');
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  };
  const nameOf = (job: string) => `headframe-${job.split('/').at(-1)}-1\n`;

  it('are really stopped by a cancel, with the daemons that they forked', async () => {
    const { job, pids, folder: workFolder } = await stubborn(client);
    expect(existsSync(workFolder)).toBe(true);
    expect((await client.delete(job)).status).toBe(204);
    expect((await client.ended(job, PATIENCE_MS)).status).toBe('canceled');
    expect(pids.map(isRunning)).toEqual([false, false]);
    expect(existsSync(workFolder)).toBe(false);
    expect(canceled()).toBe(nameOf(job));
  }, 180_000);

  it('leave no process when the service is killed, and their folder goes with the next start', async () => {
    const doomed = await startService(database.url, { ...environment, WORKER_TASKS: 'test/*' });
    const by = new Client(doomed.url, org, await token(org));
    await service.stop();
    const { job, message, pids, folder: workFolder } = await stubborn(by);
    await doomed.end('SIGKILL');
    await expect.poll(() => pids.map(isRunning), { timeout: PATIENCE_MS }).toEqual([false, false]);
    expect(canceled()).toContain(nameOf(job));
    expect(existsSync(workFolder)).toBe(true);
    service = await startService(database.url, environment);
    client = new Client(service.url, org, await token(org));
    const again = (status: { message?: string }) => ![undefined, message].includes(status.message);
    await client.waitFor(job, again, PATIENCE_MS);
    expect(existsSync(workFolder)).toBe(false);
    await client.delete(job);
    expect((await client.ended(job)).status).toBe('canceled');
    expect(await service.end('SIGTERM')).toBe(0);
    expect(readdirSync(temporary)).toEqual([]);
  }, 180_000);
});

describe('a folder of manifests that is not there', () => {
  it('stops the start, and names the variable', async () => {
    const { code, output } = await runService({
      DATABASE_URL: 'postgres://127.0.0.1:1/none',
      MIGRATE: 'false',
      AUTH_JWT_SECRET: 'x'.repeat(40),
      TASKS_DIR: '/no/such/folder',
    });
    expect(code).toBe(1);
    expect(output).toContain('TASKS_DIR: must be a folder that the service can read');
    expect(output).not.toContain('    at ');
  });
});
