import { randomUUID } from 'node:crypto';
import { HeadframeClient, type Job } from 'headframe-client';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import { type Service, startService } from '../../support/service.js';
import { token } from '../../support/tokens.js';
import { watchedFetch } from '../../support/watched-fetch.js';

const SLEEP = 'diagnostics/sleep';

let database: TestDatabase;
let service: Service;
let org: string;

beforeAll(async () => {
  database = await createTestDatabase();
  service = await startService(database.url, { WORKER_SLOTS: '8' });
});
afterAll(async () => {
  await service.stop();
  await database.drop();
});
beforeEach(() => {
  org = randomUUID();
});

async function watchedClient(url = service.url) {
  const { fetch, sent } = watchedFetch();
  const client = new HeadframeClient({ url, org, token: await token(org), fetch });
  const count = (end: string) => sent.filter(({ path }) => path.endsWith(end)).length;
  return { client, count };
}

async function states(client: HeadframeClient, job: Job): Promise<string[]> {
  const seen: string[] = [];
  for await (const { status, progress } of client.follow(job)) seen.push(`${status} ${progress}`);
  return seen;
}

describe('streams of events of the service', () => {
  it('tell one follower each state, without polls', async () => {
    const { client, count } = await watchedClient();
    const job = await client.submit(SLEEP, { seconds: 1.5, steps: 3 });
    const seen = await states(client, job);
    expect(seen.at(-1)).toBe('succeeded 100');
    expect(seen).toContain('in progress 33');
    expect([count('/status'), count('/events')]).toEqual([1, 1]);
  });

  it('tell many followers by two streams', async () => {
    const { client, count } = await watchedClient();
    const parameters = Array.from({ length: 12 }, () => ({ seconds: 1.5, steps: 3 }));
    const jobs = await client.submitBatch(SLEEP, parameters);
    const all = await Promise.all(jobs.map((job) => states(client, job)));
    expect(all.map((seen) => seen.at(-1))).toEqual(jobs.map(() => 'succeeded 100'));
    expect(count('/events')).toBe(2);
    // A look at first, one when the shared stream begins to speak, and one where something came meanwhile.
    expect(count('/status')).toBeLessThanOrEqual(4 * jobs.length);
  });

  it('tell all changes of an organization, and only of its own', async () => {
    const { client } = await watchedClient();
    const changes = client.changes({ label: ['run:7'] });
    expect((await changes.next()).value).toEqual({ type: 'reset', live: true });
    await client.submit(SLEEP, { seconds: 0.01 }, { options: { labels: { run: '8' } } });
    const job = await client.submit(
      SLEEP,
      { seconds: 0.01 },
      { options: { labels: { run: '7' } } },
    );
    const seen: string[] = [];
    for await (const change of changes) {
      if (change.type !== 'changed') continue;
      expect(change.job).toMatchObject({ ...job, labels: { run: '7' } });
      seen.push(change.job.status);
      if (change.job.status === 'succeeded') break;
    }
    expect(seen.at(-1)).toBe('succeeded');
  });

  it('that end with the token go on with the next one', async () => {
    let tokens = 0;
    const { fetch } = watchedFetch();
    const client = new HeadframeClient({
      url: service.url,
      org,
      fetch,
      token: () => token(org, { expiresIn: (tokens += 1) < 4 ? 2 : 600 }),
    });
    const job = await client.submit(SLEEP, { seconds: 5, steps: 10 });
    expect((await states(client, job)).at(-1)).toBe('succeeded 100');
  });
});
