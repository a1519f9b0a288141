import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client } from '../support/client.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { type Service, startService } from '../support/service.js';
import { token } from '../support/tokens.js';

const HOUR_MS = 3_600_000;
// Long enough that a busy machine does not keep a worker from beating for as long.
const LEASE_SECONDS = 6;
const CLOCK = fileURLToPath(new URL('../support/skewed-clock.mjs', import.meta.url));

/** No replica has the right time: one is an hour ahead, the other an hour behind. */
describe('replicas whose clocks are wrong', () => {
  const org = randomUUID();
  let database: TestDatabase;
  let rows: pg.Client;
  let ahead: Service;
  let behind: Service;
  let bearer: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    rows = new pg.Client(database.url);
    await rows.connect();
    // A token is judged by the wall clock, as it must be: this one is good by all three.
    const now = Math.floor(Date.now() / 1_000);
    bearer = await token(org, { claims: { iat: now - 7_200, exp: now + 7_200 } });
    [ahead, behind] = await Promise.all([start(HOUR_MS), start(-HOUR_MS)]);
    // Right after a start of the server nobody is taken for lost, however wrong the judge's clock.
    await rows.query(
      `SELECT pg_sleep(greatest(0, extract(epoch FROM
         pg_postmaster_start_time() + interval '5.1 seconds' - clock_timestamp())))`,
    );
  });
  afterAll(async () => {
    await Promise.all([ahead?.stop(), behind?.stop()]);
    await rows?.end();
    await database?.drop();
  });

  const start = (skewMs: number) =>
    startService(database.url, {
      LEASE_SECONDS: String(LEASE_SECONDS),
      WORKER_SLOTS: '4',
      CLOCK_SKEW_MS: String(skewMs),
      NODE_OPTIONS: `--import ${CLOCK}`,
    });

  const clientOf = (service: Service) => new Client(service.url, org, bearer);

  const submit = (service: Service, seconds: number, options?: object) =>
    clientOf(service).submit('diagnostics/sleep', { seconds, steps: 10 }, options);

  const job = async (path: string) => {
    const { rows: found } = await rows.query('SELECT * FROM jobs WHERE id = $1', [
      path.split('/').at(-1),
    ]);
    return found[0];
  };

  const startedAgain = (path: string) =>
    expect
      .poll(() => job(path), { timeout: 20_000, interval: 20 })
      .toMatchObject({ crashes: 1, status: 'in progress' });

  /** The only clock that is right, as milliseconds. */
  const databaseNow = async () => {
    const { rows: found } = await rows.query<{ now: Date }>('SELECT clock_timestamp() AS now');
    return found[0]?.now.getTime() as number;
  };

  const claims = (service: Service) =>
    service.logLines().filter(({ transition }) => transition === 'claim');

  it('are an hour ahead and an hour behind', () => {
    for (const [service, skewMs] of [
      [ahead, HOUR_MS],
      [behind, -HOUR_MS],
    ] as const) {
      const logged = Number(service.logLines()[0]?.time);
      expect(Math.abs(logged - Date.now() - skewMs)).toBeLessThan(HOUR_MS / 2);
    }
  });

  // More jobs than one has slots: both take part. None has run a short one, after which it claims ahead.
  it.concurrent('run jobs for longer than a lease, once, while each watches over the other', async () => {
    const paths = await Promise.all(
      [ahead, behind, ahead, behind, ahead, behind].map((service) =>
        submit(service, LEASE_SECONDS + 0.3),
      ),
    );
    for (const path of paths) {
      expect((await clientOf(behind).ended(path)).status).toBe('succeeded');
      expect(await job(path)).toMatchObject({ attempt: 1, crashes: 0, failures: 0 });
    }
    for (const service of [ahead, behind]) {
      expect(claims(service).length).toBeGreaterThan(0);
      expect(service.log()).not.toMatch(/could not renew|was taken for lost/);
      // How long a job has waited is told by the database's clock as well.
      for (const { ms } of claims(service)) {
        expect(Number(ms)).toBeGreaterThanOrEqual(0);
        expect(Number(ms)).toBeLessThan(HOUR_MS / 2);
      }
    }
  });

  it.concurrent('start no job before its run_after and none an hour later, and fail it at its expires_after', async () => {
    const runAfter = (await databaseNow()) + 1_500;
    const options = { run_after: new Date(runAfter).toISOString(), expires_after: 30 };
    const delayed = await Promise.all(
      [ahead, behind].map((service) => submit(service, 0, options)),
    );
    await rows.query(`INSERT INTO task_limits VALUES ('diagnostics', 'spin', 0)`);
    const unstarted = await Promise.all(
      [ahead, behind].map((service) =>
        clientOf(service).submit('diagnostics/spin', { seconds: 0 }, { expires_after: 1 }),
      ),
    );
    for (const path of delayed) {
      expect((await clientOf(ahead).ended(path)).status).toBe('succeeded');
      expect((await job(path)).started_at.getTime()).toBeGreaterThanOrEqual(runAfter);
    }
    for (const path of unstarted) {
      expect((await clientOf(ahead).ended(path)).error.type).toMatch(/\/job-expired$/);
      const { created_at: created, ended_at: ended } = await job(path);
      expect(ended.getTime() - created.getTime()).toBeGreaterThanOrEqual(1_000);
    }
  });

  it('take the jobs of one that hangs when its lease has ended, and not before', async () => {
    const [hanging, path] = await runningOn(behind);
    process.kill(hanging.pid, 'SIGSTOP');
    const { rows: last } = await rows.query('SELECT beat_at FROM workers WHERE id = $1', [
      (await job(path)).worker_id,
    ]);
    await startedAgain(path);
    const silence = (await job(path)).started_at.getTime() - last[0].beat_at.getTime();
    expect(silence).toBeGreaterThanOrEqual(LEASE_SECONDS * 1_000);
    process.kill(hanging.pid, 'SIGCONT');
    await clientOf(ahead).delete(path);
  });

  it('start the jobs of one that is killed again, seconds later', async () => {
    const [killed, path] = await runningOn(ahead);
    await killed.end('SIGKILL');
    const killedAt = await databaseNow();
    await startedAgain(path);
    expect((await job(path)).started_at.getTime()).toBeGreaterThan(killedAt);
    expect(await job(path)).toMatchObject({ crashes: 1, failures: 0 });
    await clientOf(behind).delete(path);
    expect((await clientOf(behind).ended(path)).status).toBe('canceled');
  });

  /** Submits long jobs until that replica runs one; the others are canceled. */
  async function runningOn(service: Service): Promise<[Service, string]> {
    const id = service.logLines().find(({ msg }) => msg === 'registered')?.worker;
    for (;;) {
      const path = await submit(service, 60);
      await clientOf(service).waitFor(path, ({ status }) => status === 'in progress');
      if ((await job(path)).worker_id === id) return [service, path];
      await clientOf(service).delete(path);
    }
  }
});
