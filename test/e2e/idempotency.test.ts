import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Client } from '../support/client.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { type Service, startService } from '../support/service.js';
import { token } from '../support/tokens.js';

const TASK = 'diagnostics/sleep';
const BODY = { parameters: { seconds: 0 } };
const header = (key: string) => ({ 'idempotency-key': key });

describe('an Idempotency-Key', () => {
  let database: TestDatabase;
  let rows: pg.Client;
  let replicas: Service[];
  let org: string;
  let clients: Client[];

  beforeAll(async () => {
    database = await createTestDatabase();
    rows = new pg.Client(database.url);
    await rows.connect();
    replicas = await Promise.all([0, 1].map(() => startService(database.url, { ROLE: 'api' })));
  });
  afterAll(async () => {
    await Promise.all(replicas?.map((service) => service.stop()) ?? []);
    await rows?.end();
    await database?.drop();
  });
  beforeEach(async () => {
    org = randomUUID();
    const bearer = await token(org);
    clients = replicas.map(({ url }) => new Client(url, org, bearer));
  });

  const submit = (key: string, body: unknown = BODY, client = clients[0] as Client, task = TASK) =>
    client.execute(task, body, header(key));
  const locationOf = (answer: { headers: Headers }) => answer.headers.get('location');
  const jobs = async () =>
    (await rows.query('SELECT id FROM jobs WHERE org_id = $1', [org])).rowCount;
  const keptKeys = async () =>
    (await rows.query('SELECT 1 FROM idempotency_keys WHERE org_id = $1', [org])).rowCount;

  it('makes one job of a hundred requests at once over two replicas', async () => {
    const key = randomUUID();
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, index) => submit(key, BODY, clients[index % 2])),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([303]));
    expect(new Set(answers.map(({ text }) => text))).toEqual(new Set(['']));
    expect(new Set(answers.map(locationOf)).size).toBe(1);
    expect(await jobs()).toBe(1);
    const job = locationOf(answers[0] as { headers: Headers }) as string;
    expect((await (clients[1] as Client).get(job)).status).toBe(202);
  });

  it('makes one job for each key', async () => {
    const each = Array.from({ length: 20 }, () => randomUUID());
    const answers = await Promise.all(
      each.flatMap((key) => [submit(key), submit(key, BODY, clients[1]), submit(key)]),
    );
    expect(new Set(answers.map(locationOf)).size).toBe(20);
    expect(await jobs()).toBe(20);
  });

  it('with another body, byte for byte, is refused, and changes nothing', async () => {
    const key = randomUUID();
    await submit(key);
    for (const body of [{ parameters: { seconds: 1 } }, '{ "parameters": {"seconds":0} }']) {
      const answer = await submit(key, body, clients[1]);
      expect(answer.status).toBe(422);
      expect(answer.body.type).toContain('invalid-parameters');
      expect(answer.body.detail).toContain('new key');
    }
    expect(await jobs()).toBe(1);
  });

  it('is that of its organization and its task alone', async () => {
    const key = randomUUID();
    const first = await submit(key);
    const spin = { parameters: { seconds: 0.01 } };
    const other = await submit(key, spin, clients[0], 'diagnostics/spin');
    expect(other.status).toBe(303);
    const stranger = randomUUID();
    const foreign = new Client((replicas[0] as Service).url, stranger, await token(stranger));
    const theirs = await submit(key, BODY, foreign);
    expect(new Set([first, other, theirs].map(locationOf)).size).toBe(3);
    expect(await jobs()).toBe(2);
  });

  it('is forgotten after a day', async () => {
    const key = randomUUID();
    const first = await submit(key);
    const age = (hours: number) =>
      rows.query(
        'UPDATE idempotency_keys SET expires_at = expires_at - $2::interval WHERE org_id = $1',
        [org, `${hours} hours`],
      );
    await age(23.9);
    expect(locationOf(await submit(key))).toBe(locationOf(first));
    await age(0.1);
    const next = await submit(key, { parameters: { seconds: 1 } });
    expect(next.status).toBe(303);
    expect(locationOf(next)).not.toBe(locationOf(first));
    expect([await jobs(), await keptKeys()]).toEqual([2, 1]);
  });

  describe('whose job was deleted', () => {
    /** Ends the job of an answer, and deletes it as an administrator of the organization would. */
    async function purge(job: string): Promise<number> {
      const admin = await token(org, { scope: 'compute:admin compute:execute compute:read' });
      const client = new Client((replicas[1] as Service).url, org, admin);
      await client.delete(job);
      return (await client.request('POST', `${job}/purge`)).status;
    }
    const jobOf = (answer: { headers: Headers }) =>
      (locationOf(answer) as string).replace(/\/status$/, '');

    it('makes one new job, however many ask for it at once over two replicas', async () => {
      const key = randomUUID();
      const first = jobOf(await submit(key));
      expect(await purge(first)).toBe(204);
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, index) => submit(key, BODY, clients[index % 2])),
      );
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([303]));
      const made = new Set(answers.map(jobOf));
      expect(made.size).toBe(1);
      expect(made).not.toContain(first);
      for (const job of made) {
        expect((await (clients[1] as Client).get(`${job}/status`)).status).toBe(202);
      }
      expect([await jobs(), await keptKeys()]).toEqual([1, 1]);
      expect(locationOf(await submit(key))).toBe(locationOf(answers[0] as { headers: Headers }));
    });

    it('may be used for another body', async () => {
      const key = randomUUID();
      await purge(jobOf(await submit(key)));
      const other = { parameters: { seconds: 1 } };
      const answer = await submit(key, other, clients[1]);
      expect(answer.status).toBe(303);
      expect((await submit(key)).status).toBe(422);
      expect(jobOf(await submit(key, other))).toBe(jobOf(answer));
    });

    it('makes a new job also when retention deleted it', async () => {
      const key = randomUUID();
      const first = jobOf(await submit(key));
      await (clients[0] as Client).delete(first);
      await rows.query('SELECT delete_ended_jobs(array_agg(id)) FROM jobs WHERE org_id = $1', [
        org,
      ]);
      expect(await jobs()).toBe(0);
      const next = jobOf(await submit(key));
      expect(next).not.toBe(first);
      expect((await (clients[0] as Client).get(`${next}/status`)).status).toBe(202);
    });

    it('is refused as a new one is when the organization may submit no more', async () => {
      const key = randomUUID();
      await purge(jobOf(await submit(key)));
      await submit(randomUUID());
      await rows.query('INSERT INTO organization_limits (org_id, max_unstarted) VALUES ($1, 1)', [
        org,
      ]);
      await expect.poll(async () => (await submit(randomUUID())).status).toBe(429);
      expect((await submit(key)).status).toBe(429);
    });

    it('leads to a job that is there, however purges and submits meet', async () => {
      for (let round = 0; round < 12; round += 1) {
        const key = randomUUID();
        const first = jobOf(await submit(key));
        await (clients[0] as Client).delete(first);
        const [purged, ...answers] = await Promise.all([
          purge(first),
          ...Array.from({ length: 6 }, (_, index) => submit(key, BODY, clients[index % 2])),
        ]);
        expect(purged).toBe(204);
        // Those that came before the purge were given the first, the others all the same new one.
        const made = new Set(answers.map(jobOf));
        made.delete(first);
        expect(made.size).toBeLessThanOrEqual(1);
        const last = jobOf(await submit(key));
        expect(made.size === 0 || made.has(last)).toBe(true);
        expect((await (clients[0] as Client).get(`${last}/status`)).status).toBe(202);
      }
      expect(await jobs()).toBe(12);
    });
  });

  it('is not used up by a request that was refused', async () => {
    const key = randomUUID();
    expect((await submit(key, { parameters: { seconds: -1 } })).status).toBe(422);
    expect(await keptKeys()).toBe(0);
    expect((await submit(key)).status).toBe(303);
  });

  it('is answered though its body would be refused now: its run_after is past', async () => {
    const key = randomUUID();
    const body = { ...BODY, options: { run_after: new Date(Date.now() - 299_000).toISOString() } };
    const first = await submit(key, body);
    expect(first.status).toBe(303);
    await expect.poll(async () => (await submit(randomUUID(), body)).status).toBe(422);
    expect(locationOf(await submit(key, body, clients[1]))).toBe(locationOf(first));
  });

  it('is answered though the organization may submit no more', async () => {
    const key = randomUUID();
    const first = await submit(key);
    await rows.query('INSERT INTO organization_limits (org_id, max_unstarted) VALUES ($1, 1)', [
      org,
    ]);
    await expect.poll(async () => (await submit(randomUUID())).status).toBe(429);
    expect(locationOf(await submit(key))).toBe(locationOf(first));
    expect((await submit(key, { parameters: { seconds: 1 } })).status).toBe(422);
  });

  it('is 409 while another request with it takes too long', async () => {
    const key = randomUUID();
    const first = await submit(key);
    await rows.query('BEGIN');
    try {
      // As the first of two, whose commit is held up.
      await rows.query('UPDATE idempotency_keys SET job_id = job_id WHERE org_id = $1', [org]);
      const answer = await submit(key, BODY, clients[1]);
      expect(answer.status).toBe(409);
      expect(answer.body.type).toContain('conflict');
      expect(answer.headers.get('retry-after')).toBe('1');
    } finally {
      await rows.query('ROLLBACK');
    }
    expect(locationOf(await submit(key))).toBe(locationOf(first));
  });

  it.each([
    ['of 256 characters', 'k'.repeat(256)],
    ['with a space', 'a b'],
    ['that is empty', ''],
    ['beyond ASCII', 'cl\u00e9'],
  ])('%s is malformed: nothing is written', async (_, key) => {
    const answer = await submit(key);
    expect(answer.status).toBe(400);
    expect(answer.body.type).toContain('malformed-request');
    expect(answer.body.detail).toContain('Idempotency-Key');
    expect(await jobs()).toBe(0);
  });

  it('of 255 characters is taken, whatever they are', async () => {
    const key = `"${'~!'.repeat(126)}'`;
    expect(locationOf(await submit(key))).toBe(locationOf(await submit(key)));
    expect(await jobs()).toBe(1);
  });

  it('is written nowhere, and neither is the body', async () => {
    const key = `canary-${randomUUID()}`;
    await submit(key);
    const { rows: kept } = await rows.query('SELECT * FROM idempotency_keys WHERE org_id = $1', [
      org,
    ]);
    expect(JSON.stringify(kept)).not.toContain('canary');
    expect(replicas.map((service) => service.log()).join('')).not.toContain('canary');
  });

  it('survives the end of the replica that was asked first: the other gives the same job or makes it', async () => {
    const doomed = await startService(database.url, { ROLE: 'api' });
    const client = new Client(doomed.url, org, (clients[0] as Client).token);
    const keys = Array.from({ length: 60 }, () => randomUUID());
    const first = keys.map((key) => submit(key, BODY, client).then(locationOf, () => null));
    await Promise.race(first);
    await doomed.stop();
    const before = await Promise.all(first);
    const after = await Promise.all(keys.map(async (key) => locationOf(await submit(key))));
    before.forEach((location, index) => expect([null, after[index]]).toContain(location));
    expect(new Set(after).size).toBe(60);
    expect(await jobs()).toBe(60);
  });
});
