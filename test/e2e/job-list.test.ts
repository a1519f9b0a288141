import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client, ownClient } from '../support/client.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { Engine } from '../support/jobs.js';
import { type Service, startService } from '../support/service.js';
import { token } from '../support/tokens.js';

const NOTHING = '00000000-0000-0000-0000-000000000000';

/** What this needs of a listed job. */
interface Listed {
  readonly id: string;
  readonly status: string;
  readonly labels: Record<string, string>;
  readonly waits_for?: string;
  readonly estimate?: { readonly starts_in?: number; readonly ends_in: number };
}

describe('the list of jobs', () => {
  let database: TestDatabase;
  let service: Service;
  let engine: Engine;

  beforeAll(async () => {
    database = await createTestDatabase();
    service = await startService(database.url, { ROLE: 'all', WORKER_SLOTS: '2' });
    engine = Engine.on(database.url);
  });
  afterAll(async () => {
    await service?.stop();
    await engine?.close();
    await database?.drop();
  });

  const client = (scope?: string) => ownClient(service.url, scope);
  const list = async (of: Client, query = ''): Promise<Listed[]> =>
    (await of.get(`jobs${query}`)).body.results;

  it('tells of a job what its status tells, and where to go on', async () => {
    const mine = await client();
    const job = await mine.submit('diagnostics/sleep', { seconds: 0 }, { labels: { run: '1' } });
    const { message } = await mine.ended(job);
    const { status, body, headers } = await mine.get('jobs');
    expect(status).toBe(200);
    expect(headers.get('cache-control')).toBe('no-store');
    const url = service.url + job;
    expect(body).toEqual({
      results: [
        {
          id: job.split('/').at(-1),
          topic: 'diagnostics',
          task: 'sleep',
          status: 'succeeded',
          progress: 100,
          message,
          labels: { run: '1' },
          priority: 0,
          attempt: 1,
          created_at: expect.any(String),
          started_at: expect.any(String),
          ended_at: expect.any(String),
          links: { status: `${url}/status`, result: url },
        },
      ],
      next: null,
    });
  });

  it('is paged without gaps or repeats, and follows its filter from page to page', async () => {
    const mine = await client();
    await mine.execute('diagnostics/sleep/batch', {
      parameters: Array.from({ length: 7 }, () => ({ seconds: 0 })),
      options: { labels: { run: 'a' } },
    });
    await mine.submit('diagnostics/sleep', { seconds: 0 });
    const all = (await list(mine, '?label=run:a')).map(({ id }) => id);
    const paged: string[] = [];
    let next: string | null = `${service.url}/compute/orgs/${mine.org}/jobs?label=run:a&limit=3`;
    while (next !== null) {
      const { body } = await mine.get(new URL(next).pathname + new URL(next).search);
      paged.push(...body.results.map(({ id }: Listed) => id));
      next = body.next;
    }
    expect(paged).toEqual(all);
    expect(new Set(paged).size).toBe(7);
  });

  it('takes a cursor for the list that it was made for, and for no other', async () => {
    const [mine, other] = [await client(), await client()];
    for (const of of [mine, other]) {
      await of.execute('diagnostics/sleep/batch', { parameters: [{ seconds: 0 }, { seconds: 0 }] });
    }
    const { next } = (await mine.get('jobs?limit=1')).body;
    const cursor = new URL(next).searchParams.get('cursor') as string;
    expect(await list(mine, `?cursor=${cursor}`)).toHaveLength(1);
    const tampered = (cursor[0] === 'A' ? 'B' : 'A') + cursor.slice(1);
    expect((await mine.get(`jobs?cursor=${tampered}`)).status).toBe(400);
    expect((await mine.get(`jobs?topic=diagnostics&cursor=${cursor}`)).status).toBe(400);
    expect((await other.get(`jobs?cursor=${cursor}`)).status).toBe(400);
    // One whose job is gone is still a place in the list.
    await engine.owner.query(`DELETE FROM job_submissions WHERE org_id = $1`, [mine.org]);
    expect(await list(mine, `?cursor=${cursor}`)).toEqual([]);
  });

  it.each([
    ['limit=0', 'limit'],
    ['limit=-1', 'limit'],
    ['limit=1000000000', 'limit'],
    ['limit=1&limit=2', 'limit'],
    ['cursor=', 'cursor'],
    ['cursor=%00', 'cursor'],
    ['cursor=a&cursor=b', 'cursor'],
    ['status=done', 'status'],
    ['status=', 'status'],
    ['topic=A', 'topic'],
    ['topic=a&topic=b', 'topic'],
    ['task=kriging', 'task'],
    ['label=project', 'label'],
    ['label=:x', 'label'],
    ['label=a:%00', 'label'],
    ['exclude_task=kriging', 'exclude_task'],
    ['created_after=2026-01-31', 'created_after'],
    ['created_after=2026-01-31T12:00:00', 'created_after'],
    ['ended_before=yesterday', 'ended_before'],
    ['q=', 'q'],
    ['q=%00', 'q'],
    [`q=${'a'.repeat(257)}`, 'q'],
    ['colour=red', 'colour'],
  ])('refuses ?%s and names what is wrong', async (query, name) => {
    const mine = await client();
    const { status, body } = await mine.get(`jobs?${query}`);
    expect({ status, type: body.type, names: body['invalid-params'] }).toEqual({
      status: 400,
      type: 'urn:headframe:problem/malformed-request',
      names: [{ name, reason: expect.any(String) }],
    });
  });

  it('finds by contradicting filters nothing, and by times with any offset the same', async () => {
    const mine = await client();
    await mine.ended(await mine.submit('diagnostics/sleep', { seconds: 0 }));
    expect(await list(mine, '?status=succeeded&exclude_status=succeeded')).toEqual([]);
    expect(await list(mine, '?created_after=2100-01-01T00:00:00Z')).toEqual([]);
    expect(await list(mine, '?ended_after=2020-01-01T02:00:00%2B02:00')).toHaveLength(1);
    expect(await list(mine, '?created_before=2020-01-01T00:00:00-08:00')).toEqual([]);
  });

  it('is for those who may read, and for their own organization', async () => {
    const mine = await client('compute:execute');
    expect((await mine.get('jobs')).status).toBe(403);
    expect((await mine.get('jobs/summary')).status).toBe(403);
    const stranger = new Client(service.url, randomUUID(), (await client()).token);
    expect((await stranger.get('jobs')).status).toBe(403);
  });

  it('spells for Evo clients as they do, and understands them', async () => {
    const mine = await client();
    await engine.limits.setOrganization(mine.org, { maxRunning: 0 });
    const job = await mine.submit('diagnostics/sleep', { seconds: 0 });
    await mine.delete(job);
    const { body } = await mine.get('jobs?status=cancelled', { 'evo-sdk-source': 'evo@v1' });
    expect(body.results).toMatchObject([{ status: 'cancelled' }]);
    expect(await list(mine, '?status=canceled')).toMatchObject([{ status: 'canceled' }]);
  });

  it('counts by status and by task, and tells how long the oldest waits', async () => {
    const mine = await client();
    await mine.ended(await mine.submit('diagnostics/sleep', { seconds: 0 }));
    await engine.limits.setOrganization(mine.org, { maxRunning: 0 });
    await mine.submit('diagnostics/sleep', { seconds: 0 });
    await mine.submit('diagnostics/spin', { seconds: 1 }, { run_after: tomorrow() });
    expect((await mine.get('jobs/summary')).body).toEqual({
      total: 3,
      oldest_waiting_seconds: expect.any(Number),
      by_status: { succeeded: 1, requested: 2 },
      by_task: [
        { topic: 'diagnostics', task: 'sleep', count: 2 },
        { topic: 'diagnostics', task: 'spin', count: 1 },
      ],
      truncated: false,
    });
    const { body } = await mine.get('jobs/summary?topic=diagnostics&task=spin');
    expect(body).toMatchObject({ total: 1, by_status: { requested: 1 } });
    expect(body).not.toHaveProperty('oldest_waiting_seconds');
  });

  it('stops counting at ten thousand, and then still knows the oldest', async () => {
    const mine = await client();
    await engine.limits.setOrganization(mine.org, { maxRunning: 0 });
    const oldest = await mine.submit('diagnostics/sleep', { seconds: 0 });
    await engine.owner.query(
      `WITH job AS (SELECT gen_random_uuid() AS id FROM generate_series(1, 10000)), queued AS (
         INSERT INTO job_queue (job_id, org_id, topic, task)
         SELECT ('ff' || substr(id::text, 3))::uuid, $1, 'diagnostics', 'sleep' FROM job)
       INSERT INTO job_submissions (id, org_id, topic, task, created_at)
       SELECT ('ff' || substr(id::text, 3))::uuid, $1, 'diagnostics', 'sleep', now() FROM job`,
      [mine.org],
    );
    await engine.owner.query(
      `UPDATE job_submissions SET created_at = now() - interval '1 hour' WHERE id = $1`,
      [oldest.split('/').at(-1)],
    );
    const { body } = await mine.get('jobs/summary');
    expect(body).toMatchObject({ total: 10_000, truncated: true });
    expect(body.oldest_waiting_seconds).toBeGreaterThanOrEqual(3_600);
  });

  describe('tells why a job waits', () => {
    const waitsFor = async (of: Client, job: string): Promise<string | undefined> => {
      const id = job.split('/').at(-1);
      const detail = (await of.get(`${job}/detail`)).body;
      const listed = (await list(of, `?q=${id}`))[0];
      expect(listed?.waits_for).toBe(detail.waits_for);
      return detail.waits_for;
    };

    it('for its time', async () => {
      const mine = await client();
      const job = await mine.submit('diagnostics/sleep', { seconds: 0 }, { run_after: tomorrow() });
      expect(await waitsFor(mine, job)).toBe('run-after');
    });

    it('for its next attempt', async () => {
      const mine = await client();
      await engine.limits.setOrganization(mine.org, { maxRunning: 0 });
      const job = await mine.submit('diagnostics/sleep', { seconds: 0 });
      await engine.owner.query(
        `UPDATE job_queue SET attempt = 1, failures = 1, started_at = now(), worker_id = gen_random_uuid(), run_after = now() + interval '1 minute' WHERE org_id = $1`,
        [mine.org],
      );
      expect(await waitsFor(mine, job)).toBe('backoff');
    });

    it('for room under the cap of its organization', async () => {
      const mine = await client();
      await engine.limits.setOrganization(mine.org, { maxRunning: 0 });
      expect(await waitsFor(mine, await mine.submit('diagnostics/sleep', { seconds: 0 }))).toBe(
        'organization-cap',
      );
    });

    it('for room under the cap of its task', async () => {
      const mine = await client();
      await engine.limits.setTask('diagnostics', 'spin', 0);
      expect(await waitsFor(mine, await mine.submit('diagnostics/spin', { seconds: 1 }))).toBe(
        'task-cap',
      );
      await engine.limits.setTask('diagnostics', 'spin', null);
    });

    it('for a slot, and how long that will be', async () => {
      const mine = await client();
      for (let count = 0; count < 3; count += 1) {
        await mine.ended(await mine.submit('diagnostics/sleep', { seconds: 0.2 }));
      }
      const running = await Promise.all(
        [0, 1].map(() => mine.submit('diagnostics/sleep', { seconds: 30 })),
      );
      const job = await mine.submit('diagnostics/sleep', { seconds: 30 });
      expect(await waitsFor(mine, job)).toBe('slot');
      const [waiting, , first] = await list(mine, '?status=requested&status=in progress');
      expect(waiting?.estimate).toEqual({
        starts_in: expect.any(Number),
        ends_in: expect.any(Number),
      });
      expect(first?.estimate).toEqual({ ends_in: expect.any(Number) });
      await Promise.all([job, ...running].map((each) => mine.delete(each)));
    });

    it('for a worker that runs its task', async () => {
      const api = await startService(database.url, { ROLE: 'api' });
      const idle = await createTestDatabase();
      const alone = await startService(idle.url, { ROLE: 'api' });
      try {
        const mine = new Client(alone.url, randomUUID(), '');
        const signed = new Client(alone.url, mine.org, await token(mine.org));
        const job = await signed.submit('diagnostics/sleep', { seconds: 0 });
        expect((await signed.get(`${job}/detail`)).body).toMatchObject({ waits_for: 'worker' });
      } finally {
        await Promise.all([api.stop(), alone.stop()]);
        await idle.drop();
      }
    });
  });

  it('keeps of each job what makes its results repeatable', async () => {
    const mine = await client();
    const job = await mine.submit('diagnostics/sleep', { seconds: 0.1 });
    await mine.ended(job);
    const { body } = await mine.get(`${job}/detail`);
    const { parameters } = (await mine.get(`${job}/parameters`)).body;
    expect(parameters).toEqual({ seconds: 0.1 });
    expect(body).toMatchObject({
      task_version: '1.0.0',
      program_version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      parameters_sha256: await sha256('{"seconds":0.1}'),
      attempts: [{ task_version: '1.0.0', worker: expect.any(String) }],
    });
    expect(body.run_seconds).toBeGreaterThanOrEqual(0.1);
    expect(body.waited_seconds).toBeGreaterThanOrEqual(0);
    const large = await mine.submit('diagnostics/sleep', {
      seconds: 0,
    });
    expect((await mine.get(`${large.replace(/[^/]+$/, NOTHING)}/parameters`)).status).toBe(404);
  });
});

const tomorrow = (): string => new Date(Date.now() + 86_400_000).toISOString();

async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return Buffer.from(digest).toString('hex');
}
