import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, Client } from '../support/client.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { expectProblem, RowCount } from '../support/problems.js';
import { type Service, startService } from '../support/service.js';
import { token } from '../support/tokens.js';

const TASK = 'diagnostics/sleep';
const CLI = fileURLToPath(new URL('../../dist/cli/limits.js', import.meta.url));
/** Seconds for which a replica may hold tokens. */
const HELD = 5;

/** The most that a limit lets through since a moment: a bucket's content, and what ran in. */
const boundOf = (perMinute: number, since: number): number =>
  perMinute + (perMinute / 60) * ((performance.now() - since) / 1_000 + HELD);

/** Two replicas over one database, as behind a balancer. */
let database: TestDatabase;
let replicas: readonly Service[];
let rows: RowCount;

beforeAll(async () => {
  database = await createTestDatabase();
  const environment = {
    ROLE: 'api',
    RATE_LIMIT_SUBMITS: '40',
    RATE_LIMIT_POLLS: '60',
    RATE_LIMIT_REQUESTS: '50',
    RATE_LIMIT_FAILURES: '40',
    TRUST_PROXY: 'true',
  };
  replicas = [
    await startService(database.url, environment),
    await startService(database.url, environment),
  ];
  rows = await RowCount.open(database.url);
});

afterAll(async () => {
  await rows?.close();
  await Promise.all((replicas ?? []).map((replica) => replica.stop()));
  await database?.drop();
});

const clientsOf = async (org: string): Promise<Client[]> => {
  const bearer = await token(org);
  return replicas.map(({ url }) => new Client(url, org, bearer));
};

/** Sends to both replicas in turn, ten at once. */
async function hammer(
  clients: readonly Client[],
  times: number,
  send: (client: Client) => Promise<Answer>,
): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (let sent = 0; sent < times; sent += 10) {
    const ten = Array.from({ length: 10 }, (_, index) => clients[index % clients.length] as Client);
    answers.push(...(await Promise.all(ten.map(send))));
  }
  return answers;
}

const execute = (client: Client): Promise<Answer> =>
  client.execute(TASK, { parameters: { seconds: 0 } });

const counted = (answers: readonly Answer[], status: number): number =>
  answers.filter((answer) => answer.status === status).length;

/** RFC 9651: a list of one string with integer parameters. */
const POLICY = /^"([a-z]+)";q=(\d+);w=(\d+)$/;
const STATE = /^"([a-z]+)";r=(\d+);t=(\d+)$/;

describe('two replicas', () => {
  it('admit together what one limit allows, and a refused submit writes nothing', async () => {
    const clients = await clientsOf(randomUUID());
    const before = await rows.now();
    const since = performance.now();
    const answers = await hammer(clients, 120, execute);
    const admitted = counted(answers, 303);
    expect(admitted).toBeGreaterThanOrEqual(30);
    expect(admitted).toBeLessThanOrEqual(boundOf(40, since));
    expect(counted(answers, 429)).toBe(120 - admitted);
    // A job and its parameters for each that was admitted.
    expect((await rows.now()) - before).toBe(2 * admitted);
    const refused = answers.find(({ status }) => status === 429) as Answer;
    expectProblem(refused, 429, 'too-many-requests');
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect(refused.headers.get('ratelimit-policy')).toBe('"submits";q=40;w=60');
    expect(refused.headers.get('ratelimit')).toMatch(/^"submits";r=0;t=[1-9]\d*$/);
  });

  it('tell what is left by structured fields, for each kind of request its own', async () => {
    const [client] = (await clientsOf(randomUUID())) as [Client];
    const job = await client.submit(TASK, { seconds: 0 });
    for (const [bucket, quota, answer] of [
      ['submits', 40, await execute(client)],
      ['polls', 60, await client.get(`${job}/status`)],
      ['polls', 60, await client.get(job)],
      ['polls', 60, await client.get(`${job}/detail`)],
      ['polls', 60, await client.get(`${job}/logs`)],
      ['requests', 50, await client.get('tasks')],
      ['requests', 50, await client.get('nothing')],
      ['cancels', 40, await client.delete(job)],
    ] as const) {
      const [, policy, q, w] = POLICY.exec(answer.headers.get('ratelimit-policy') ?? '') ?? [];
      expect([policy, q, w]).toEqual([bucket, String(quota), '60']);
      const [, name, r, t] = STATE.exec(answer.headers.get('ratelimit') ?? '') ?? [];
      expect(name).toBe(bucket);
      expect(Number(r)).toBeLessThan(quota);
      expect(Number(t)).toBeLessThanOrEqual(60);
    }
  });

  it('starve neither polls nor cancels by submits, nor one organization by another', async () => {
    const clients = await clientsOf(randomUUID());
    const [client] = clients as [Client];
    const job = await client.submit(TASK, { seconds: 0 });
    const answers = await hammer(clients, 100, execute);
    expect(counted(answers, 429)).toBeGreaterThan(0);
    expect((await client.get(`${job}/status`)).status).toBe(202);
    expect((await client.delete(job)).status).toBe(204);
    const [other] = (await clientsOf(randomUUID())) as [Client];
    expect((await execute(other)).status).toBe(303);
  });

  it('judge the token, the organization, the path and the body before the limit', async () => {
    const org = randomUUID();
    const [client] = (await clientsOf(org)) as [Client];
    // The next token is there in a minute.
    await rows.connection.query(
      'INSERT INTO organization_limits (org_id, submits_per_minute) VALUES ($1, 1)',
      [org],
    );
    expect((await execute(client)).status).toBe(303);
    const nobody = new Client(client.url, org, '');
    expectProblem(await nobody.request('POST', TASK), 401, 'unauthorized');
    expectProblem(
      await client.request('POST', `/compute/orgs/${randomUUID()}/${TASK}`),
      403,
      'forbidden',
    );
    expectProblem(await client.execute('diagnostics/nothing', {}), 404, 'not-found');
    expectProblem(await client.execute(TASK, '{'), 400, 'malformed-request');
    expectProblem(await client.execute(TASK, {}), 422, 'invalid-parameters');
    expectProblem(await execute(client), 429, 'too-many-requests');
  });

  it('count a request only for a token of the organization, however it spells its id', async () => {
    const org = randomUUID();
    const [client] = (await clientsOf(org)) as [Client];
    const [stranger] = (await clientsOf(randomUUID())) as [Client];
    await rows.connection.query(
      'INSERT INTO organization_limits (org_id, requests_per_minute) VALUES ($1, 1)',
      [org],
    );
    const theirs = `/compute/orgs/${org}/tasks`;
    const nobody = new Client(client.url, org, '');
    for (const status of [401, 403]) {
      const refused = await (status === 401 ? nobody : stranger).get(theirs);
      expect(refused.status).toBe(status);
      expect(refused.headers.has('ratelimit')).toBe(false);
    }
    expect((await client.get(theirs)).status).toBe(200);
    expectProblem(
      await client.get(theirs.replace(org, org.toUpperCase())),
      429,
      'too-many-requests',
    );
    expectProblem(await stranger.get(theirs), 403, 'forbidden');
  });
});

describe('requests of an address', () => {
  it('are counted, whatever they are, where there is such a limit; probes are not', async () => {
    const service = await startService(database.url, {
      ROLE: 'api',
      TRUST_PROXY: 'true',
      RATE_LIMIT_ADDRESS: '10',
    });
    try {
      const get = (path: string, address: string) =>
        fetch(service.url + path, { headers: { 'x-forwarded-for': address } });
      const answers = await Promise.all(
        ['/', '/openapi.json', '/nothing', '/compute/orgs/x/tasks'].flatMap((path) =>
          Array.from({ length: 10 }, () => get(path, '192.0.2.77')),
        ),
      );
      const refused = answers.filter(({ status }) => status === 429);
      expect(refused.length).toBeGreaterThanOrEqual(28);
      expect(refused[0]?.headers.get('content-type')).toContain('application/problem+json');
      expect(Number(refused[0]?.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
      expect((await get('/health/live', '192.0.2.77')).status).toBe(200);
      expect((await get('/', '192.0.2.78')).status).toBe(200);
    } finally {
      await service.stop();
    }
  });
});

describe('wrong tokens', () => {
  /** @param via what the proxy has seen in front of the last address, which a client may have made up */
  const wrong = (address: string, via = '') =>
    hammer(
      replicas.map(({ url }) => new Client(url, randomUUID(), 'wrong')),
      120,
      (client) =>
        client.get('tasks', {
          authorization: `Bearer ${randomUUID()}`,
          'x-forwarded-for': `${via}${address}`,
        }),
    );

  it('are refused unseen once an address has sent too many, whatever it claims', async () => {
    const org = randomUUID();
    const [client] = (await clientsOf(org)) as [Client];
    const from = { 'x-forwarded-for': '192.0.2.1' };
    expect((await client.get('tasks', from)).status).toBe(200);
    const since = performance.now();
    const answers = [
      ...(await wrong('192.0.2.1')),
      ...(await wrong('192.0.2.1', '198.51.100.9, ')),
    ];
    expect(counted(answers, 401)).toBeLessThanOrEqual(boundOf(40, since));
    expect(counted(answers, 401) + counted(answers, 429)).toBe(240);
    const refused = answers.find(({ status }) => status === 429) as Answer;
    expectProblem(refused, 429, 'too-many-requests');
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    // A client whose token is known is not shut out with it; other addresses are not either.
    expect((await client.get('tasks', from)).status).toBe(200);
    const elsewhere = new Client(client.url, org, await token(org, { expiresIn: 1_000 }));
    const there = await elsewhere.get('tasks', { 'x-forwarded-for': '192.0.2.2' });
    expect(there.status).toBe(200);
  });

  it('count for a whole /64 of IPv6', async () => {
    const since = performance.now();
    const one = await wrong('2001:db8:1:2::1');
    const other = await wrong('2001:db8:1:2:ffff::2');
    expect(counted([...one, ...other], 401)).toBeLessThanOrEqual(boundOf(40, since));
  });
});

describe('npm run limits', () => {
  const limits = async (...words: string[]): Promise<string> => {
    const { stdout } = await promisify(execFile)(process.execPath, [CLI, ...words], {
      env: { PATH: process.env.PATH, DATABASE_URL: database.url },
    });
    return stdout;
  };

  it('gives an organization limits of its own, or none', async () => {
    const org = randomUUID();
    const shown = await limits(
      '--org',
      org,
      '--submits-per-minute',
      '7',
      '--polls-per-minute',
      'none',
    );
    expect(shown).toMatch(
      new RegExp(`^${org} +1 +none +none +none +default +7 +none +default$`, 'm'),
    );
    const [client] = (await clientsOf(org)) as [Client];
    const first = await execute(client);
    expect(first.headers.get('ratelimit-policy')).toBe('"submits";q=7;w=60');
    const job = (first.headers.get('location') as string).replace(/\/status$/, '');
    const polls = await hammer([client], 200, (one) => one.get(`${job}/status`));
    expect(counted(polls, 202)).toBe(200);
    expect(polls[0]?.headers.has('ratelimit')).toBe(false);
    const again = await limits('--org', org, '--polls-per-minute', 'default');
    expect(again).toMatch(
      new RegExp(`^${org} +1 +none +none +none +default +7 +default +default$`, 'm'),
    );
  });

  it('refuses what is no limit', async () => {
    for (const words of ['0', 'many']) {
      await expect(limits('--org', 'default', '--polls-per-minute', words)).rejects.toThrow(
        '--polls-per-minute',
      );
    }
  });
});
