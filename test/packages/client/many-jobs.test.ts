import { randomUUID } from 'node:crypto';
import { ConnectionError, HeadframeClient, RequestError } from 'headframe-client';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CuttingProxy } from '../../support/cutting-proxy.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import { type Service, startService } from '../../support/service.js';
import { token } from '../../support/tokens.js';
import { watchedFetch } from '../../support/watched-fetch.js';

const SCOPE = 'compute:read compute:execute compute:admin';
const QUICK = { seconds: 0.01, steps: 1 };

let database: TestDatabase;
let service: Service;
let org: string;
let client: HeadframeClient;

beforeAll(async () => {
  database = await createTestDatabase();
  service = await startService(database.url);
});
afterAll(async () => {
  await service.stop();
  await database.drop();
});
beforeEach(async () => {
  org = randomUUID();
  client = new HeadframeClient({
    url: service.url,
    org,
    token: await token(org, { scope: SCOPE }),
  });
});

async function collected<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** Jobs that have ended. */
async function endedJobs(count: number, labels: Record<string, string> = {}) {
  const parameters = Array.from({ length: count }, () => QUICK);
  const jobs = await client.submitBatch('diagnostics/sleep', parameters, { options: { labels } });
  await Promise.all(jobs.map((job) => client.wait(job)));
  return jobs;
}

describe('a batch', () => {
  it('makes jobs in the order of their parameters, which can be read again', async () => {
    const all = [1, 2, 3].map((steps) => ({ seconds: 0.01, steps }));
    const jobs = await client.submitBatch('diagnostics/sleep', all);
    expect(await Promise.all(jobs.map((job) => client.parameters(job)))).toEqual(all);
    for (const job of jobs) await client.wait(job);
    expect((await client.results(jobs[2]!)).steps).toBe(3);
  });

  it('is made once when its answer is lost', async () => {
    const proxy = await CuttingProxy.open(service.url);
    try {
      const far = new HeadframeClient({ url: proxy.url, org, token: await token(org) });
      proxy.loseAnswers(1);
      expect(await far.submitBatch('diagnostics/sleep', [QUICK, QUICK])).toHaveLength(2);
      expect((await client.summary()).total).toBe(2);
    } finally {
      proxy.close();
    }
  });

  it('that has one wrong member is refused as a whole', async () => {
    const wrong = [QUICK, { seconds: -1 }];
    await expect(client.submitBatch('diagnostics/sleep', wrong)).rejects.toMatchObject({
      status: 422,
      problem: { 'invalid-params': [{ name: expect.stringContaining('[1]') as string }] },
    });
    expect((await client.summary()).total).toBe(0);
  });
});

describe('the list', () => {
  it('goes through all pages, newest first, and each item is a job', async () => {
    const jobs = await endedJobs(5);
    const listed = await collected(client.list({}, { limit: 2 }));
    expect(listed.map(({ id }) => id)).toEqual(jobs.map(({ id }) => id).toReversed());
    expect((await client.status(listed[0]!)).status).toBe('succeeded');
    const { jobs: page, cursor } = await client.listPage({}, { limit: 2 });
    expect(page).toHaveLength(2);
    const next = await client.listPage({}, { limit: 3, cursor: cursor! });
    expect(next.jobs.map(({ id }) => id)).toEqual(listed.slice(2).map(({ id }) => id));
  });

  it('keeps to a filter, as counts do', async () => {
    await endedJobs(2, { run: '7' });
    await endedJobs(3, { run: '8' });
    const filter = {
      topic: 'diagnostics',
      task: 'sleep',
      label: ['run:8'],
      status: ['succeeded'] as const,
    };
    expect(await collected(client.list(filter))).toHaveLength(3);
    expect(await client.summary(filter)).toMatchObject({
      total: 3,
      by_status: { succeeded: 3 },
      by_task: [{ topic: 'diagnostics', task: 'sleep', count: 3 }],
    });
    await expect(client.listPage({ task: 'sleep' })).rejects.toThrow(RequestError);
  });
});

describe('an act on many jobs', () => {
  it('only counts them when it is a rehearsal', async () => {
    await endedJobs(2, { run: '7' });
    const selection = { filter: { label: ['run:7'] } };
    expect(await client.purgeJobs(selection, { dryRun: true })).toMatchObject({
      matched: 2,
      changed: 0,
    });
    expect(await client.purgeJobs(selection)).toEqual({ matched: 2, changed: 2, more: false });
    expect((await client.summary()).total).toBe(0);
  });

  it('cancels, and runs again', async () => {
    const long = await client.submit('diagnostics/sleep', { seconds: 600 });
    expect(await client.cancelJobs({ ids: [long.id] })).toMatchObject({ changed: 1 });
    expect((await client.wait(long)).status).toBe('canceled');
    const [ended] = await endedJobs(1);
    expect(await client.rerunJobs({ ids: [ended!.id] })).toMatchObject({ changed: 1 });
    const again = await collected(client.list({ label: [`rerun-of:${ended!.id}`] }));
    expect(again).toHaveLength(1);
  });

  it('is repeated when its answer is lost, but for what would make jobs twice', async () => {
    const [ended] = await endedJobs(1);
    const proxy = await CuttingProxy.open(service.url);
    const { fetch, sent } = watchedFetch();
    try {
      const far = new HeadframeClient({
        url: proxy.url,
        org,
        fetch,
        token: await token(org, { scope: SCOPE }),
      });
      proxy.loseAnswers(1);
      await expect(far.rerunJobs({ ids: [ended!.id] })).rejects.toThrow(ConnectionError);
      expect(sent.map(({ status }) => status)).toEqual([null]);
      proxy.loseAnswers(1);
      await far.cancelJobs({ ids: [ended!.id] });
      expect(sent.map(({ status }) => status)).toEqual([null, null, 200]);
    } finally {
      proxy.close();
    }
  });

  it('is in the audit log, as are its jobs', async () => {
    await endedJobs(2, { run: '7' });
    await client.purgeJobs({ filter: { label: ['run:7'] } });
    const acts = (await collected(client.audit({}, { limit: 2 }))).map(({ action }) => action);
    expect(acts).toContain('jobs.purge');
    expect(acts.filter((action) => action === 'job.purge')).toHaveLength(2);
  });
});

it('a job is run again with its parameters, or with others', async () => {
  const [first] = await endedJobs(1, { run: '7' });
  const same = await client.rerun(first!);
  await client.wait(same);
  expect((await client.detail(same)).labels).toEqual({ run: '7', 'rerun-of': first!.id });
  const other = await client.rerun(first!, { parameters: { seconds: 0.02, steps: 2 } });
  await client.wait(other);
  expect((await client.results(other)).steps).toBe(2);
});

it('the limits tell what is used', async () => {
  expect((await client.limits()).used).toMatchObject({ running: 0, unstarted: 0 });
});
