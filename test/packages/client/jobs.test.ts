import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import {
  HeadframeClient,
  type Job,
  JobCanceledError,
  JobFailedError,
  JobOngoingError,
  type JobStatus,
  type LogPiece,
  RequestError,
} from 'headframe-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import { manifest, tasksFolder } from '../../support/process-tasks.js';
import { type Service, startService } from '../../support/service.js';
import { token } from '../../support/tokens.js';
import { watchedFetch } from '../../support/watched-fetch.js';

const SLEEP = 'diagnostics/sleep';
const FOREVER = { seconds: 3_600, steps: 3_600 };
const org = randomUUID();
const folder = tasksFolder({
  talker: manifest({
    name: 'talker',
    command: [
      '/bin/sh',
      '-c',
      'for i in 1 2 3; do echo "line $i" >&2; done; echo \'{"results":{}}\'',
    ],
  }),
});
let database: TestDatabase;
let service: Service;
let bearer: string;
let client: HeadframeClient;

beforeAll(async () => {
  database = await createTestDatabase();
  service = await startService(database.url, { TASKS_DIR: folder, WORKER_SLOTS: '4' });
  bearer = await token(org);
  client = new HeadframeClient({ url: service.url, org, token: bearer });
});
afterAll(async () => {
  await service?.stop();
  await database?.drop();
  rmSync(folder, { recursive: true, force: true });
});

/** A job that runs, and what the client says of it last. */
async function runningJob(): Promise<Job<typeof SLEEP>> {
  const job = await client.submit(SLEEP, FOREVER);
  for await (const { status } of client.follow(job)) {
    if (status === 'in progress') break;
  }
  return job;
}

describe('run', () => {
  it('gives the results of a job that succeeds, typed by the task, and tells each change once', async () => {
    const told: JobStatus[] = [];
    let submitted: Job | null = null;
    const results = await client.run(
      SLEEP,
      { seconds: 1, steps: 4 },
      { onProgress: (status) => told.push(status), onSubmitted: (job) => (submitted = job) },
    );
    const steps: number = results.steps;
    expect(steps).toBe(4);
    expect(told.at(-1)).toMatchObject({ status: 'succeeded', progress: 100 });
    const progress = told.map((status) => status.progress);
    expect(progress).toEqual(progress.toSorted((a, b) => a - b));
    const distinct = new Set(
      told.map(({ status, progress: percent, message }) =>
        JSON.stringify([status, percent, message]),
      ),
    );
    expect(distinct.size).toBe(told.length);
    expect(await client.results(submitted!)).toEqual(results);
  });

  it('throws what a failed job failed of', async () => {
    const fail = { status: 418, title: 'A teapot.', detail: 'It is short and stout.' };
    const error = await client.run(SLEEP, { seconds: 0, fail }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(JobFailedError);
    expect(error).toMatchObject({ job: { task: SLEEP }, problem: fail });
    expect((error as Error).message).toContain('418 A teapot. It is short and stout.');
  });

  it('throws the problem of parameters that are refused, place by place', async () => {
    const error = await client.run(SLEEP, { seconds: -1 }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(RequestError);
    expect(error).toMatchObject({ status: 422, slug: 'invalid-parameters' });
    expect((error as RequestError).problem['invalid-params']).toEqual([
      { name: 'parameters.seconds', reason: expect.any(String) },
    ]);
    expect((error as RequestError).message).toContain('parameters.seconds: ');
    expect((error as RequestError).requestId).toMatch(/./);
  });

  it('throws that a job was canceled by somebody else', async () => {
    const running = client.run(SLEEP, FOREVER, {
      onSubmitted: (job) => void client.cancel(job),
    });
    await expect(running).rejects.toThrow(JobCanceledError);
  });

  it('cancels its job when the signal fires, and throws the reason', async () => {
    const given = new AbortController();
    const reason = new Error('enough');
    let job: Job | null = null;
    const running = client.run(SLEEP, FOREVER, {
      signal: given.signal,
      onSubmitted: (submitted) => (job = submitted),
      onProgress: ({ status }) => status === 'in progress' && given.abort(reason),
    });
    await expect(running).rejects.toBe(reason);
    expect((await client.wait(job!)).status).toBe('canceled');
  });

  it('cancels its job when the signal fires while it is being submitted', async () => {
    const given = new AbortController();
    const { fetch: abortingFetch, sent } = watchedFetch();
    const aborting = new HeadframeClient({
      url: service.url,
      org,
      token: bearer,
      fetch: (input, init) => {
        const answer = abortingFetch(input, init);
        given.abort();
        return answer;
      },
    });
    await expect(aborting.run(SLEEP, FOREVER, { signal: given.signal })).rejects.toThrow(
      'This operation was aborted',
    );
    expect(sent.map(({ method, status }) => `${method} ${status}`)).toEqual([
      'POST 303',
      'DELETE 204',
    ]);
  });

  it('sends nothing when the signal has fired before', async () => {
    const { fetch: watched, sent } = watchedFetch();
    const silent = new HeadframeClient({ url: service.url, org, token: bearer, fetch: watched });
    const signal = AbortSignal.abort();
    await expect(silent.run(SLEEP, FOREVER, { signal })).rejects.toBe(signal.reason);
    expect(sent).toEqual([]);
  });

  it('passes options and an idempotency key on: the same key is the same job', async () => {
    const options = { labels: { well: 'A-1' }, priority: 7 };
    const submit = { idempotencyKey: 'once', options };
    const [first, second] = await Promise.all([
      client.submit(SLEEP, { seconds: 0 }, submit),
      client.submit(SLEEP, { seconds: 0 }, submit),
    ]);
    expect(second).toEqual(first);
    expect(await client.detail(first)).toMatchObject(options);
  });
});

describe('follow', () => {
  it('leaves the job alone when its reader stops, or its signal fires', async () => {
    const job = await runningJob();
    const given = new AbortController();
    const reason = new Error('no longer interested');
    const onProgress = () => given.abort(reason);
    const waiting = client.wait(job, { signal: given.signal, onProgress });
    await expect(waiting).rejects.toBe(reason);
    expect((await client.status(job)).status).toBe('in progress');
    await client.cancel(job);
  });

  it('tells of a job that has ended its end, at once, to any number of followers', async () => {
    const job = JSON.parse(JSON.stringify(await client.submit(SLEEP, { seconds: 0 }))) as Job;
    const ends = await Promise.all([client.wait(job), client.wait(job)]);
    expect(ends.map(({ status }) => status)).toEqual(['succeeded', 'succeeded']);
    const states: string[] = [];
    for await (const { status } of client.follow(job)) states.push(status);
    expect(states).toEqual(['succeeded']);
  });

  it('ends on a failure and a cancel as on a success: it is the results that throw', async () => {
    const job = await runningJob();
    await expect(client.results(job)).rejects.toThrow(JobOngoingError);
    await client.cancel(job);
    expect((await client.wait(job)).status).toBe('canceled');
    await client.cancel(job);
    await expect(client.results(job)).rejects.toThrow(JobCanceledError);
  });
});

describe('a job that there is not', () => {
  it('is not found, whatever is asked of it', async () => {
    const job: Job = { task: SLEEP, id: randomUUID() };
    const calls = [
      () => client.status(job),
      () => client.wait(job),
      () => client.results(job),
      () => client.cancel(job),
      () => client.detail(job),
      () => client.logs(job).next(),
    ];
    for (const call of calls) {
      await expect(call()).rejects.toMatchObject({ name: 'RequestError', slug: 'not-found' });
    }
  });

  it('and names that are none are not sent: they would lead elsewhere', async () => {
    const { fetch: watched, sent } = watchedFetch();
    const careful = new HeadframeClient({ url: service.url, org, token: bearer, fetch: watched });
    for (const task of [
      'sleep',
      '../..',
      'a/b/c',
      'diagnostics/sleep?x',
      '',
      'Diagnostics/Sleep',
    ]) {
      await expect(careful.submit(task, {})).rejects.toThrow(TypeError);
      await expect(careful.status({ task, id: randomUUID() })).rejects.toThrow(TypeError);
    }
    for (const id of ['', '..', '../status', 'x'.repeat(36), `${randomUUID()}/..`]) {
      await expect(careful.cancel({ task: SLEEP, id })).rejects.toThrow(TypeError);
    }
    expect(sent).toEqual([]);
  });
});

describe('besides', () => {
  it('the log of a job can be read while it runs and to its end, or as far as it is', async () => {
    const job = await client.submit('test/talker', {});
    const pieces: LogPiece[] = [];
    for await (const piece of client.logs(job, { follow: true })) pieces.push(piece);
    const text = pieces.map((piece) => piece.text).join('');
    expect(text).toBe('line 1\nline 2\nline 3\n');
    const again: LogPiece[] = [];
    for await (const piece of client.logs(job)) again.push(piece);
    expect(again).toEqual(pieces);
  });

  it('the whole catalogue is one list, with schemas when asked for', async () => {
    const keys = (await client.tasks()).map(({ key }) => key);
    expect(keys).toEqual(expect.arrayContaining([SLEEP, 'geostatistics/kriging', 'test/talker']));
    const sleep = (await client.tasks({ details: true })).find(({ key }) => key === SLEEP);
    expect(sleep?.parameters).toHaveProperty('properties.seconds');
  });

  it('browsers, which cannot read where an answer redirects to, follow it: one job, the same results', async () => {
    const { fetch: watched, sent } = watchedFetch();
    const following = new HeadframeClient({
      url: service.url,
      org,
      token: bearer,
      fetch: watched,
      redirect: 'follow',
    });
    expect(await following.run(SLEEP, { seconds: 0, steps: 2 })).toMatchObject({ steps: 2 });
    expect(sent.filter(({ method }) => method === 'POST')).toHaveLength(1);
    // A token that may only execute sees its job refused behind the redirect, but it has one.
    const scope = 'compute:execute';
    const blind = new HeadframeClient({
      url: service.url,
      org,
      token: () => token(org, { scope }),
      redirect: 'follow',
    });
    const job = await blind.submit(SLEEP, { seconds: 0 });
    expect((await client.wait(job)).status).toBe('succeeded');
  });

  it('the token is asked for before every request', async () => {
    let asked = 0;
    const renewing = new HeadframeClient({
      url: service.url,
      org,
      token: async () => ((asked += 1), token(org, { expiresIn: 60 })),
    });
    const job = await renewing.submit(SLEEP, { seconds: 0 });
    await renewing.cancel(job);
    expect(asked).toBe(2);
  });

  it('settings that are none are refused at once', () => {
    const settings = { url: service.url, org, token: bearer };
    for (const url of ['', 'here', 'ftp://here', '/compute']) {
      expect(() => new HeadframeClient({ ...settings, url })).toThrow(TypeError);
    }
    expect(() => new HeadframeClient({ ...settings, org: '../limits' })).toThrow(TypeError);
    for (const ms of [-1, Number.NaN]) {
      expect(() => new HeadframeClient({ ...settings, patienceMs: ms })).toThrow(TypeError);
      expect(() => new HeadframeClient({ ...settings, timeoutMs: ms })).toThrow(TypeError);
    }
  });
});

/** Never called: the type check of these lines is the test. */
export const types = [
  // @ts-expect-error -- seconds is a number
  () => client.submit(SLEEP, { seconds: 'three' }),
  // @ts-expect-error -- there is no such member
  () => client.submit(SLEEP, { seconds: 3, naps: 3 }),
  // @ts-expect-error -- these results have no such member
  async () => (await client.run(SLEEP, { seconds: 3 })).estimates,
  // @ts-expect-error -- there is no such option
  () => client.submit(SLEEP, { seconds: 3 }, { options: { urgency: 3 } }),
  // Of a task that is not known by type, any object.
  async () => (await client.run('test/talker', { any: 1 })).thing as string,
];
