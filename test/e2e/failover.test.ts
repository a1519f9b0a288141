import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Client } from '../support/client.js';
import { MovingAddress } from '../support/moving-address.js';
import { type OwnPostgres, POSTGRES_PROGRAMS, startOwnPostgres } from '../support/own-postgres.js';
import { type Service, startService } from '../support/service.js';
import { token } from '../support/tokens.js';
import { query } from '../support/query.js';

if (POSTGRES_PROGRAMS === null) {
  console.log(
    'test/e2e/failover.test.ts is skipped: it needs pg_basebackup and a server of the same version (Debian: apt-get install postgresql).',
  );
}

const SLEEP = 'diagnostics/sleep';

describe.skipIf(POSTGRES_PROGRAMS === null)('a failover to a streaming standby', () => {
  const programs = POSTGRES_PROGRAMS as string;
  const org = randomUUID();
  let primary: OwnPostgres;
  let standby: OwnPostgres;
  /** Where the service connects to … */
  let database: MovingAddress;
  /** … and the standby. */
  let replication: MovingAddress;
  let services: Service[];

  beforeEach(async () => {
    services = [];
    primary = await startOwnPostgres(programs);
    await query(
      primary.url('postgres'),
      `CREATE ROLE headframe LOGIN CREATEROLE PASSWORD 'secret'`,
    );
    await query(primary.url('postgres'), 'CREATE DATABASE headframe OWNER headframe');
    replication = await MovingAddress.open(primary.port);
    standby = await startOwnPostgres(programs, {
      standbyOf: { url: replication.of(primary.url('postgres')), name: 'second' },
    });
    database = await MovingAddress.open(primary.port);
  });
  afterEach(async () => {
    await Promise.all(services.map((service) => service.stop()));
    database.close();
    replication.close();
    await Promise.all([primary.stop(), standby.stop()]);
  });

  async function run(environment: Record<string, string> = {}): Promise<Client> {
    const service = await startService(database.of(primary.url('headframe', 'service')), {
      DATABASE_OWNER_URL: database.of(primary.url('headframe', 'headframe')),
      DATABASE_API_URL: database.of(primary.url('headframe', 'requests')),
      LEASE_SECONDS: '6',
      WORKER_SLOTS: '4',
      ...environment,
    });
    services.push(service);
    return new Client(service.url, org, await token(org));
  }

  const ready = async ({ url }: Client) => {
    const answer = await fetch(`${url}/health/ready`);
    return { status: answer.status, text: await answer.text() };
  };

  async function promote(): Promise<void> {
    await query(standby.url('postgres'), 'SELECT pg_promote()');
    database.lead(standby.port);
  }

  /** Every commit waits from now on until the standby has it on its disk. */
  async function makeSynchronous(): Promise<void> {
    await query(primary.url('postgres'), `ALTER SYSTEM SET synchronous_standby_names = 'second'`);
    await query(primary.url('postgres'), 'SELECT pg_reload_conf()');
    await expect
      .poll(async () => (await query(primary.url('postgres'), STATE)).rows)
      .toEqual([{ sync_state: 'sync' }]);
  }
  const STATE = 'SELECT sync_state FROM pg_stat_replication';

  it('that is synchronous loses nothing that was accepted, and jobs go on', async () => {
    const clients = [await run(), await run()];
    await makeSynchronous();
    const accepted: string[] = [];
    const statuses = new Set<number>();
    let lastBefore = 0;
    let firstAfter = 0;
    let crashed = false;
    let stopped = false;
    const load = async (client: Client, seconds: number): Promise<void> => {
      while (!stopped) {
        const begun = crashed;
        const answer = await client.execute(SLEEP, { parameters: { seconds, steps: 4 } });
        if (answer.status === 303) {
          accepted.push((answer.headers.get('location') as string).replace(/\/status$/, ''));
          if (!begun && !crashed) lastBefore = Date.now();
          if (begun && firstAfter === 0) firstAfter = Date.now();
        } else {
          statuses.add(answer.status);
        }
        await sleep(20);
      }
    };
    const loading = Promise.all(
      clients.flatMap((client) => [0, 0.5].map((seconds) => load(client, seconds))),
    );
    await expect.poll(() => accepted.length).toBeGreaterThan(40);
    crashed = true;
    await primary.crash();
    await promote();
    await expect.poll(() => firstAfter).toBeGreaterThan(0);
    const here = accepted.length;
    await expect.poll(() => accepted.length).toBeGreaterThan(here + 40);
    stopped = true;
    await loading;

    expect([...statuses].filter((status) => status !== 503)).toEqual([]);
    for (const job of accepted) {
      expect((await (clients[0] as Client).ended(job, 60_000)).status).toBe('succeeded');
    }
    for (const service of services) {
      expect(service.logLines().filter(({ level }) => Number(level) >= 60)).toEqual([]);
    }
    console.log(
      `failover: ${accepted.length} jobs accepted, none lost; ${firstAfter - lastBefore} ms without an accepted job`,
    );
  }, 180_000);

  it('that is asynchronous loses what the standby had not got, and its key makes a new job', async () => {
    const client = await run();
    const first = await client.submit(SLEEP, { seconds: 0 });
    expect((await client.ended(first)).status).toBe('succeeded');
    await expect
      .poll(async () => (await query(standby.url('headframe'), ENDED)).rows)
      .toEqual([{ ended: 1 }]);
    replication.lead(null);
    replication.cut();
    const key = { 'idempotency-key': 'nightly-7' };
    const body = { parameters: { seconds: 0 } };
    const lost = (await client.execute(SLEEP, body, key)).headers.get('location') as string;
    await primary.crash();
    await promote();
    await expect.poll(async () => (await ready(client)).status).toBe(200);

    expect((await client.get(first)).status).toBe(200);
    expect((await client.get(lost.replace(/\/status$/, ''))).status).toBe(404);
    const again = await client.execute(SLEEP, body, key);
    expect(again.status).toBe(303);
    expect(again.headers.get('location')).not.toBe(lost);
  });
  const ENDED = `SELECT count(*)::int AS ended FROM jobs WHERE status = 'succeeded'`;

  it('is waited for: a replica does not take a standby for the primary, and says so', async () => {
    const client = await run();
    const job = await client.submit(SLEEP, { seconds: 0 });
    expect((await client.ended(job)).status).toBe('succeeded');
    await expect
      .poll(async () => (await query(standby.url('headframe'), ENDED)).rows)
      .toEqual([{ ended: 1 }]);
    // The address moves before anybody has promoted the standby, and the old connections end.
    database.lead(standby.port);
    database.cut();
    await expect.poll(async () => (await ready(client)).text).toContain('is a standby');
    expect(await ready(client)).toMatchObject({ status: 503 });
    expect((await client.get(`${job}/status`)).status).toBe(503);
    expect((await client.execute(SLEEP, { parameters: { seconds: 0 } })).status).toBe(503);
    // Another that starts meanwhile says the same.
    const another = await run({ MIGRATE: 'false' });
    expect((await ready(another)).text).toContain('is a standby');
    // It was wrong: the primary lives. Nothing but the address has to change.
    database.lead(primary.port);
    for (const each of [client, another]) {
      await expect.poll(async () => (await ready(each)).status).toBe(200);
      const next = await each.submit(SLEEP, { seconds: 0 });
      expect((await each.ended(next)).status).toBe('succeeded');
    }
  });

  it('that is made twice is refused the second time, and harms nothing', async () => {
    const client = await run();
    await primary.crash();
    await promote();
    await expect.poll(async () => (await ready(client)).status).toBe(200);
    await expect(query(standby.url('postgres'), 'SELECT pg_promote()')).rejects.toThrow(
      'recovery is not in progress',
    );
    const job = await client.submit(SLEEP, { seconds: 0 });
    expect((await client.ended(job)).status).toBe('succeeded');
  });
});
