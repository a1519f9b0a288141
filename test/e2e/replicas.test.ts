import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Client } from '../support/client.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { type Service, startService } from '../support/service.js';
import { token } from '../support/tokens.js';

describe('several replicas on one database', () => {
  const org = randomUUID();
  let database: TestDatabase;
  let rows: pg.Client;
  let services: Service[] = [];

  beforeAll(async () => {
    database = await createTestDatabase();
    rows = new pg.Client(database.url);
    await rows.connect();
  });
  afterEach(async () => {
    await Promise.all(services.map((service) => service.stop()));
    services = [];
  });
  afterAll(async () => {
    await rows?.end();
    await database?.drop();
  });

  async function start(environment: Record<string, string> = {}): Promise<Service> {
    const service = await startService(database.url, environment);
    services.push(service);
    return service;
  }

  const clientOf = async (service: Service) => new Client(service.url, org, await token(org));

  const job = async (path: string) => {
    const { rows: found } = await rows.query('SELECT * FROM jobs WHERE id = $1', [
      path.split('/').at(-1),
    ]);
    return found[0];
  };

  it('run each job once, and both take part', async () => {
    const [one, two] = await Promise.all([start(), start()]);
    const clients = [await clientOf(one), await clientOf(two)];
    const jobs = await Promise.all(
      Array.from({ length: 60 }, (_, index) =>
        (clients[index % 2] as Client).submit('diagnostics/sleep', { seconds: 0.05 }),
      ),
    );
    for (const path of jobs) {
      // Each is seen from the other replica too.
      expect((await (clients[1] as Client).ended(path)).status).toBe('succeeded');
    }
    const { rows: counts } = await rows.query(
      `SELECT count(*)::int AS jobs, max(attempt) AS attempts, sum(crashes)::int AS crashes FROM jobs`,
    );
    expect(counts).toEqual([{ jobs: 60, attempts: 1, crashes: 0 }]);
    const started = services.map(
      (service) => service.logLines().filter(({ transition }) => transition === 'claim').length,
    );
    expect(started[0]! + started[1]!).toBe(60);
    expect(Math.min(...started)).toBeGreaterThan(0);
  });

  it('an api replica accepts, a worker replica runs its tasks, and hears of a cancel at once', async () => {
    const api = await start({ ROLE: 'api' });
    const client = await clientOf(api);
    const waiting = await client.submit('diagnostics/spin', { seconds: 600 });
    const worker = await start({ ROLE: 'worker', WORKER_TASKS: 'diagnostics/s*in' });
    const other = await client.submit('diagnostics/sleep', { seconds: 0 });
    await client.waitFor(waiting, ({ status }) => status === 'in progress');
    expect((await fetch(`${worker.url}/compute/orgs/${org}/tasks`)).status).toBe(401);
    expect((await fetch(`${worker.url}/health/ready`)).status).toBe(200);
    await client.delete(waiting);
    expect((await client.ended(waiting)).status).toBe('canceled');
    expect((await client.get(`${other}/status`)).body.status).toBe('requested');
    await client.delete(other);
  });

  it('a job whose worker is killed in the middle is run again and succeeds', async () => {
    const [killed, survivor] = await Promise.all([
      start({ ROLE: 'worker' }),
      start({ ROLE: 'api' }),
    ]);
    const client = await clientOf(survivor);
    const path = await client.submit('geostatistics/kriging', KRIGING);
    await client.waitFor(path, ({ progress }) => progress > 0);
    await killed.end('SIGKILL');
    await start({ ROLE: 'worker' });
    const status = await client.ended(path, 80_000);
    expect(status).toMatchObject({ status: 'succeeded', progress: 100 });
    expect(await job(path)).toMatchObject({ attempt: 2, crashes: 1, failures: 0 });
    const { body } = await client.get(path);
    expect(body.results.target.values).toHaveLength(
      KRIGING.target.grid.size.reduce((a, b) => a * b),
    );
  }, 90_000);

  it('a worker that was paused past its lease changes nothing of the second attempt', async () => {
    const lease = { LEASE_SECONDS: '3' };
    const paused = await start({ ROLE: 'worker', ...lease });
    const api = await start({ ROLE: 'api', ...lease });
    const client = await clientOf(api);
    const path = await client.submit('diagnostics/sleep', { seconds: 4, steps: 40 });
    await client.waitFor(path, ({ progress }) => progress > 0);
    process.kill(paused.pid, 'SIGSTOP');
    await expect.poll(async () => (await job(path)).status, { timeout: 20_000 }).toBe('requested');
    process.kill(paused.pid, 'SIGCONT');
    // It finds out that it was taken for lost, stops its work, signs on anew, and takes the job again.
    await expect
      .poll(() => paused.log(), { timeout: 10_000 })
      .toContain('was taken for lost; registers anew');
    expect((await client.ended(path, 30_000)).status).toBe('succeeded');
    expect(await job(path)).toMatchObject({ attempt: 2, crashes: 1 });
    const ends = paused.logLines().filter((line) => line.job === path.split('/').at(-1));
    expect(ends.map(({ to }) => to)).toContain('lease lost: nothing written');
  }, 90_000);

  it('SIGTERM lets running jobs finish, refuses requests with 503, and exits 0', async () => {
    const service = await start();
    const client = await clientOf(service);
    const path = await client.submit('diagnostics/sleep', { seconds: 1.5 });
    await client.waitFor(path, ({ status }) => status === 'in progress');
    const ended = service.end('SIGTERM');
    await expect.poll(async () => (await client.get(`${path}/status`)).status).toBe(503);
    const refused = await client.get(`${path}/status`);
    expect(refused.headers.get('retry-after')).toMatch(/^\d+$/);
    expect(refused.body.type).toMatch(/\/unavailable$/);
    expect((await fetch(`${service.url}/health/live`)).status).toBe(200);
    expect((await fetch(`${service.url}/health/ready`)).status).toBe(503);
    expect(await ended).toBe(0);
    expect(await job(path)).toMatchObject({ status: 'succeeded', attempt: 1 });
  });

  it('jobs that outlast the drain are handed back with nothing counted', async () => {
    const service = await start({ SHUTDOWN_SECONDS: '0' });
    const client = await clientOf(service);
    const [sleep, spin] = [
      await client.submit('diagnostics/sleep', { seconds: 600 }),
      await client.submit('diagnostics/spin', { seconds: 600 }),
    ];
    for (const path of [sleep, spin]) {
      await client.waitFor(path, ({ status }) => status === 'in progress');
    }
    expect(await service.end('SIGTERM')).toBe(0);
    for (const path of [sleep, spin]) {
      expect(await job(path)).toMatchObject({
        status: 'requested',
        attempt: 1,
        failures: 0,
        crashes: 0,
        lease_id: null,
      });
    }
    const { rows: workers } = await rows.query('SELECT 1 FROM workers WHERE name LIKE $1', [
      `%:${service.pid}`,
    ]);
    expect(workers).toEqual([]);
    await rows.query('TRUNCATE job_submissions, job_queue, job_leases, job_ends');
  });
});

/** A job of some seconds, with progress on the way. */
const KRIGING = {
  source: {
    coordinates: Array.from({ length: 400 }, (_, index) => [
      (index * 37) % 101,
      (index * 53) % 103,
    ]),
    values: Array.from({ length: 400 }, (_, index) => Math.sin(index)),
  },
  target: { grid: { origin: [0, 0], spacing: [0.25, 0.25], size: [400, 400] } },
  variogram: {
    nugget: 0.1,
    structures: [
      {
        variogram_type: 'spherical',
        contribution: 1,
        anisotropy: { ellipsoid_ranges: { major: 30, semi_major: 30, minor: 30 } },
      },
    ],
  },
  neighborhood: {
    ellipsoid: { ellipsoid_ranges: { major: 60, semi_major: 60, minor: 60 } },
    max_samples: 100,
  },
  kriging_method: { type: 'ordinary' },
};
