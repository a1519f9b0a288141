import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { v7 as uuidv7 } from 'uuid';
import { type Answer, Client } from '../support/client.js';
import { Engine } from '../support/jobs.js';
import { expectProblem } from '../support/problems.js';
import { type Service, startService } from '../support/service.js';
import { believedBytes, countedBytes } from '../support/stored-bytes.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { token } from '../support/tokens.js';

const TASK = 'diagnostics/sleep';
const LIMITS = fileURLToPath(new URL('../../dist/cli/limits.js', import.meta.url));
const ADMIN = 'compute:read compute:execute compute:admin';

describe('what is kept, and for how long', () => {
  let database: TestDatabase;
  let engine: Engine;
  let services: Service[];
  /** A job that was old when the replicas started. */
  let old: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    engine = Engine.on(database.url);
    old = uuidv7({ msecs: Date.now() - 90_000_000_000 });
    await engine.owner.query(
      `WITH ended AS (
         INSERT INTO job_ends (job_id, org_id, status, progress, attempt, failures, crashes, ended_at)
         VALUES ($1, $2, 'succeeded', 100, 1, 0, 0, clock_timestamp() - interval '8 days')
       )
       INSERT INTO job_submissions (id, org_id, topic, task) VALUES ($1, $2, 'diagnostics', 'sleep')`,
      [old, randomUUID()],
    );
    services = await Promise.all([
      startService(database.url, { RETENTION_DAYS: '7' }),
      startService(database.url, { RETENTION_DAYS: '7', ROLE: 'api' }),
    ]);
  });
  afterAll(async () => {
    await Promise.all((services ?? []).map((service) => service.stop()));
    await engine?.close();
    await database?.drop();
  });

  const client = async (org: string, scope = ADMIN, replica = 0) =>
    new Client((services[replica] as Service).url, org, await token(org, { scope }));
  const purge = (by: Client, job: string) => by.request('POST', `${job}/purge`);
  const limits = async (...words: string[]) => {
    const env = { PATH: process.env.PATH, DATABASE_URL: database.url };
    const run = await promisify(execFile)(process.execPath, [LIMITS, ...words], { env });
    return run.stdout;
  };

  /** Replicas tell a second later what they have stored. */
  const expectCounted = async () => {
    const counted = await countedBytes(engine.owner);
    await expect.poll(() => believedBytes(engine.owner), { timeout: 5_000 }).toEqual(counted);
  };

  it('is deleted by a replica by itself, when its time is over', async () => {
    await expect.poll(() => engine.row(old)).toBeUndefined();
    await expect
      .poll(() => services.flatMap((service) => service.logLines()))
      .toContainEqual(expect.objectContaining({ msg: 'deleted expired jobs', deleted: 1 }));
  });

  describe('purge', () => {
    let org: string;
    let admin: Client;
    let job: string;

    beforeAll(async () => {
      org = randomUUID();
      admin = await client(org);
      job = await admin.submit(TASK, { seconds: 0 }, { labels: { name: 'secret' } });
      await admin.ended(job);
    });

    it('needs its own scope, and the organization', async () => {
      const scopes = ['compute:read compute:execute', 'compute:read', 'compute'];
      for (const scope of scopes) {
        const refused = await purge(await client(org, scope), job);
        expectProblem(refused, 403, 'forbidden');
        expect(refused.headers.get('www-authenticate')).toContain('scope="compute:admin"');
      }
      expectProblem(await purge(await client(randomUUID()), job), 403, 'forbidden');
      const stranger = await client(randomUUID());
      const foreign = job.replace(org, stranger.org);
      expectProblem(await purge(stranger, foreign), 404, 'not-found');
      expect((await admin.get(job)).status).toBe(200);
    });

    it('finds nothing under another task, another id, or no id', async () => {
      const answers: Answer[] = [];
      for (const path of [
        job.replace('sleep', 'spin'),
        job.replace(/[^/]+$/, uuidv7()),
        job.replace(/[^/]+$/, 'x'),
      ]) {
        answers.push(await purge(admin, path));
      }
      answers.forEach((answer) => expectProblem(answer, 404, 'not-found'));
      expect((await admin.get(job)).status).toBe(200);
      const other = await admin.request('DELETE', `${job}/purge`);
      expectProblem(other, 405, 'method-not-allowed');
      expect(other.headers.get('allow')).toBe('POST, OPTIONS');
    });

    it('refuses a job that has not ended, and leaves it as it is', async () => {
      const later = new Date(Date.now() + 3_600_000).toISOString();
      const waiting = await admin.submit(TASK, { seconds: 0 }, { run_after: later });
      const running = await admin.submit('diagnostics/spin', { seconds: 600 });
      await admin.waitFor(running, ({ status }) => status === 'in progress');
      for (const ongoing of [waiting, running]) {
        expectProblem(await purge(admin, ongoing), 409, 'conflict');
        expect((await admin.get(`${ongoing}/status`)).status).toBe(202);
        await admin.delete(ongoing);
        expect((await admin.ended(ongoing)).status).toBe('canceled');
        expect((await purge(admin, ongoing)).status).toBe(204);
      }
    });

    it('leaves nothing: all addresses of the job answer as those of one that never was', async () => {
      const answer = await purge(admin, job);
      expect({ status: answer.status, text: answer.text }).toEqual({ status: 204, text: '' });
      const never = job.replace(/[^/]+$/, uuidv7());
      for (const below of ['', '/status', '/detail', '/logs']) {
        expect((await admin.get(job + below)).text).toBe((await admin.get(never + below)).text);
        expectProblem(await admin.get(job + below), 404, 'not-found');
      }
      expect((await admin.delete(job)).status).toBe(404);
      expectProblem(await purge(admin, job), 404, 'not-found');
      await expectCounted();
      const audit = await admin.get(`audit?action=job.purge&job_id=${job.split('/').at(-1)}`);
      expect(audit.body.results).toEqual([
        expect.objectContaining({ action: 'job.purge', subject: 'tester', task: 'sleep' }),
      ]);
    });
  });

  describe('the cap on stored bytes', () => {
    const org = randomUUID();
    const submit = (by: Client) => by.execute(TASK, { parameters: { seconds: 0 } });

    it('refuses submits at each replica once results have filled it, until a purge', async () => {
      const clients = [await client(org), await client(org, ADMIN, 1)];
      const [first, second] = clients as [Client, Client];
      const job = await first.submit(TASK, { seconds: 0 });
      await first.ended(job);
      expect(await limits('--org', org, '--max-stored-bytes', '40')).toMatch(
        new RegExp(`^${org} +1 +none +none +40( +default){4}$`, 'm'),
      );
      for (const replica of clients) {
        await expect.poll(async () => (await submit(replica)).status, { timeout: 5_000 }).toBe(429);
      }
      const refused = await submit(second);
      expectProblem(refused, 429, 'too-many-requests');
      expect(refused.headers.get('retry-after')).toBe('60');
      expect(refused.body.detail).toContain('purge');
      // What was let in before the cap was heeded has ended too.
      const { rows } = await engine.owner.query<{ id: string }>(
        'SELECT id FROM jobs WHERE org_id = $1',
        [org],
      );
      for (const { id } of rows) {
        const other = job.replace(/[^/]+$/, id);
        await first.ended(other);
        expect((await purge(first, other)).status).toBe(204);
      }
      let again = refused;
      await expect
        .poll(async () => (again = await submit(second)).status, { timeout: 5_000 })
        .toBe(303);
      await second.ended((again.headers.get('location') as string).replace(/\/status$/, ''));
    });

    it('is shown with what is stored, and taken back', async () => {
      await expectCounted();
      const stored = (await countedBytes(engine.owner))[org];
      const shown = await limits(
        '--org',
        org,
        '--max-stored-bytes',
        'none',
        '--retention-days',
        '3',
      );
      expect(shown).toMatch(new RegExp(`^${org} +1 +none +none +none +3( +default){3}$`, 'm'));
      expect(shown).toMatch(new RegExp(`^${org} +${stored}$`, 'm'));
    });
  });
});
