import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client } from '../support/client.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { Engine } from '../support/jobs.js';
import { type Service, startService } from '../support/service.js';
import { token } from '../support/tokens.js';

const ALL = 'compute:read compute:execute compute:admin';

describe('the audit log', () => {
  const org = randomUUID();
  let database: TestDatabase;
  let owner: pg.Client;
  let service: Service;
  let admin: Client;
  let job: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    owner = new pg.Client(database.url);
    await owner.connect();
    service = await startService(database.url, { ROLE: 'api', TRUST_PROXY: 'true' });
    const claims = { sub: 'ada', client_id: 'notebook' };
    admin = new Client(service.url, org, await token(org, { scope: ALL, claims }));
    const answer = await admin.execute(
      'diagnostics/sleep',
      { parameters: { seconds: 0 } },
      { 'x-request-id': 'request-1', 'x-forwarded-for': '203.0.113.7' },
    );
    job = (answer.headers.get('location') as string).replace(/\/status$/, '');
    await admin.delete(job);
    await admin.delete(job); // of an ended job: nothing is done, and so nothing noted
  });
  afterAll(async () => {
    await service?.stop();
    await owner?.end();
    await database?.drop();
  });

  const page = async (query = '', client = admin) => client.get(`audit${query}`);

  it('tells who did what to which job, from where and in which request', async () => {
    const { status, body } = await page();
    expect(status).toBe(200);
    const [jobId] = job.split('/').slice(-1);
    const common = {
      subject: 'ada',
      client: 'notebook',
      job_id: jobId,
      topic: 'diagnostics',
      task: 'sleep',
      detail: null,
    };
    expect(body).toEqual({
      results: [
        {
          ...common,
          id: expect.any(String),
          at: expect.any(String),
          action: 'job.cancel',
          address: '127.0.0.1',
          request_id: expect.any(String),
        },
        {
          ...common,
          id: jobId,
          at: expect.any(String),
          action: 'job.submit',
          address: '203.0.113.7',
          request_id: 'request-1',
        },
      ],
      next: null,
    });
  });

  it('has an entry for each job of a batch, and none for what was refused', async () => {
    const other = randomUUID();
    const client = new Client(service.url, other, await token(other, { scope: ALL }));
    const made = await Promise.all(
      Array.from({ length: 30 }, () => client.submit('diagnostics/sleep', { seconds: 0 })),
    );
    await client.execute('diagnostics/sleep', { parameters: { seconds: -1 } });
    const { body } = await page('?limit=200', client);
    const seen = body.results.map((entry: { job_id: string }) => entry.job_id);
    expect(seen).toHaveLength(30);
    expect(new Set(seen)).toEqual(new Set(made.map((path) => path.split('/').at(-1))));
  });

  it('is paged, newest first, without gaps or repeats', async () => {
    const other = randomUUID();
    const client = new Client(
      service.url,
      other,
      await token(other, { scope: ALL, claims: { sub: 'eve' } }),
    );
    for (let count = 0; count < 7; count += 1) {
      await client.submit('diagnostics/sleep', { seconds: 0 });
    }
    const all = (await page('', client)).body.results;
    const paged: unknown[] = [];
    let next: string | null = `${service.url}/compute/orgs/${other}/audit?limit=3&subject=eve`;
    while (next !== null) {
      const { body } = await client.get(new URL(next).pathname + new URL(next).search);
      paged.push(...body.results);
      next = body.next;
    }
    expect(paged).toEqual(all);
    expect(paged).toHaveLength(7);
  });

  it('is filtered by action, subject and job', async () => {
    const count = async (query: string) => (await page(query)).body.results.length;
    expect(await count('?action=job.cancel')).toBe(1);
    expect(await count('?subject=ada')).toBe(2);
    expect(await count('?subject=bob')).toBe(0);
    expect(await count(`?job_id=${job.split('/').at(-1)?.toUpperCase()}`)).toBe(2);
    expect(await count(`?job_id=${randomUUID()}`)).toBe(0);
  });

  it.each([
    '?limit=0',
    '?limit=201',
    '?limit=1&limit=2',
    '?limit=abc',
    '?action=job',
    '?subject=',
    '?subject=%00',
    '?job_id=1',
    '?cursor=',
    '?cursor=%00',
    '?cursor=AAAA',
    '?cursor=a&cursor=b',
  ])('refuses %s', async (query) => {
    const { status, body } = await page(query);
    expect({ query, status, type: body.type }).toMatchObject({
      status: 400,
      type: /malformed-request$/,
    });
  });

  it('takes a cursor for the list that it was made for, and for no other', async () => {
    const { body } = await page('?limit=1');
    const cursor = new URL(body.next).searchParams.get('cursor') as string;
    expect((await page(`?limit=1&cursor=${cursor}`)).body.results).toHaveLength(1);
    const tampered = (cursor[0] === 'A' ? 'B' : 'A') + cursor.slice(1);
    expect((await page(`?cursor=${tampered}`)).status).toBe(400);
    expect((await page(`?action=job.cancel&cursor=${cursor}`)).status).toBe(400);
    const other = randomUUID();
    const client = new Client(service.url, other, await token(other, { scope: ALL }));
    expect((await page(`?cursor=${cursor}`, client)).status).toBe(400);
  });

  it('is for administrators, and for their own organization', async () => {
    const reader = new Client(service.url, org, await token(org));
    const refused = await page('', reader);
    expect(refused.status).toBe(403);
    expect(refused.headers.get('www-authenticate')).toContain('scope="compute:admin"');
    const other = randomUUID();
    const stranger = new Client(service.url, org, await token(other, { scope: ALL }));
    expect((await page('', stranger)).status).toBe(403);
  });

  it('tells of changed limits, by whom', async () => {
    const engine = Engine.on(database.url);
    await engine.limits.setOrganization(org, { maxRunning: 3 });
    await engine.limits.removeOrganization(org);
    await engine.close();
    const { body } = await page('?action=limits.change');
    expect(body.results).toMatchObject([
      { subject: 'operator test', detail: { removed: true }, job_id: null },
      { subject: 'operator test', detail: { maxRunning: 3 }, address: null },
    ]);
  });

  it('comes with the limits in force, and what is used of them', async () => {
    const other = randomUUID();
    const client = new Client(service.url, other, await token(other, { scope: ALL }));
    expect((await client.get('limits')).body).toEqual({
      weight: 1,
      max_running: null,
      max_unstarted: null,
      max_stored_bytes: null,
      retention_days: 30,
      submits_per_minute: 6_000,
      polls_per_minute: 60_000,
      requests_per_minute: 3_000,
      used: { running: 0, unstarted: 0, stored_bytes: 0 },
    });
    const engine = Engine.on(database.url);
    await engine.limits.setOrganization(other, {
      maxRunning: 0,
      maxStoredBytes: 1_000,
      retentionDays: 0,
      submitsPerMinute: 0,
    });
    await engine.close();
    await client.submit('diagnostics/sleep', { seconds: 0 });
    await expect
      .poll(async () => (await client.get('limits')).body, { timeout: 5_000 })
      .toMatchObject({
        max_running: 0,
        max_stored_bytes: 1_000,
        retention_days: null,
        submits_per_minute: null,
        used: { unstarted: 1, stored_bytes: '{"seconds":0}'.length },
      });
    const reader = new Client(service.url, org, await token(org));
    expect((await reader.get('limits')).status).toBe(403);
  });

  it.each(['headframe_api', 'headframe_worker', 'headframe_operator'])(
    'cannot be changed by %s',
    async (role) => {
      for (const sql of [
        'UPDATE audit_log SET subject = NULL',
        'DELETE FROM audit_log',
        'TRUNCATE audit_log',
      ]) {
        await owner.query(`SET ROLE ${role}`);
        await expect(owner.query(sql), sql).rejects.toMatchObject({ code: '42501' });
        await owner.query('RESET ROLE');
      }
    },
  );

  it('cannot be changed by its owner either, but for entries of more than 90 days', async () => {
    for (const sql of [
      'UPDATE audit_log SET subject = NULL',
      'DELETE FROM audit_log',
      'TRUNCATE audit_log',
    ]) {
      await expect(owner.query(sql), sql).rejects.toThrow('append-only');
    }
    await owner.query(
      `INSERT INTO audit_log (org_id, id, action, at) VALUES ($1, $2, 'job.submit', now() - interval '91 days')`,
      [org, randomUUID()],
    );
    const { rowCount } = await owner.query(
      `DELETE FROM audit_log WHERE at < now() - interval '90 days'`,
    );
    expect(rowCount).toBe(1);
  });

  it('keeps what a token says of odd subjects, shortened and storable', async () => {
    const other = randomUUID();
    const odd = `\u0000\ud800${'\u{1F600}'.repeat(400)}`;
    const client = new Client(
      service.url,
      other,
      await token(other, { scope: ALL, claims: { sub: odd } }),
    );
    await client.submit('diagnostics/sleep', { seconds: 0 });
    const { subject } = (await page('', client)).body.results[0];
    expect(subject).toMatch(/^\uFFFD\uFFFD\u{1F600}{127}$/u);
  });
});
