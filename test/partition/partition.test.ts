import { randomUUID } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client } from '../support/client.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { manifest, tasksFolder } from '../support/process-tasks.js';
import { type Service, startService } from '../support/service.js';
import { StallingProxy } from '../support/stalling-proxy.js';
import { token } from '../support/tokens.js';
import { mayMakeNamespaces, NetworkNamespace } from './network-namespace.js';

const asked = process.env.HEADFRAME_TEST_PARTITION === '1';
if (asked && !mayMakeNamespaces()) {
  console.warn('Skipped: a network namespace wants root, and `ip` of iproute2.');
}

const LEASE_MS = 15_000;
const STARTS_ELSEWHERE_MS = 20_000;
const LONG_JOBS = [1, 2];

/** Leaves a trace ten times a second: where, which job, when. */
const TRACING = `read -r parameters; job=$(echo "$parameters" | tr -cd 0-9)
i=0
while [ $i -lt 250 ]; do
  i=$((i + 1)); echo "$SITE $job $(date +%s%3N)" >> "$TRACE"; sleep 0.1
done
echo '{"results": {}}'`;
const TASKS = {
  tracing: manifest({
    name: 'tracing',
    command: ['/bin/sh', '-c', TRACING],
    env: ['SITE', 'TRACE'],
    parameters: { type: 'object', required: ['job'], properties: { job: { type: 'integer' } } },
    example: { job: 1 },
  }),
};

describe.skipIf(!asked || !mayMakeNamespaces())('a replica whose network link goes down', () => {
  const org = randomUUID();
  let folder: string;
  let trace: string;
  let namespace: NetworkNamespace;
  let database: TestDatabase;
  let rows: pg.Client;
  let forwarder: StallingProxy;
  let client: Client;
  let inside: Service;
  const services: Service[] = [];

  beforeAll(async () => {
    folder = tasksFolder(TASKS);
    trace = join(folder, 'trace');
    writeFileSync(trace, '');
    namespace = NetworkNamespace.make();
    database = await createTestDatabase();
    rows = new pg.Client(database.url);
    await rows.connect();
    // The database listens on loopback, which the namespace does not reach.
    forwarder = await StallingProxy.open(database.url, namespace.gateway);
    const api = await start(database.url, 'outside', { ROLE: 'api' });
    client = new Client(api.url, org, await token(org));
    inside = await start(forwarder.url, 'inside', { ROLE: 'worker' }, namespace.command);
  });
  afterAll(async () => {
    await Promise.all(services.map((service) => service.stop()));
    forwarder?.close();
    namespace?.remove();
    await rows?.end();
    await database?.drop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function start(
    url: string,
    site: 'inside' | 'outside',
    environment: Record<string, string>,
    command: string[] = [],
  ): Promise<Service> {
    const own = { SITE: site, TRACE: trace, TASKS_DIR: folder, WORKER_SLOTS: '4' };
    const service = await startService(url, { ...own, ...environment }, command);
    services.push(service);
    return service;
  }

  /** When the long jobs left a trace there, oldest first: Unix milliseconds. */
  const traces = (site: 'inside' | 'outside'): { job: number; at: number }[] =>
    readFileSync(trace, 'utf8')
      .split('\n')
      .map((line) => line.split(' '))
      .filter(([where]) => where === site)
      .map(([, job, at]) => ({ job: Number(job), at: Number(at) }));

  /** Submits short jobs until it is told to stop. @returns all that were accepted */
  function load(): { stop(): Promise<string[]> } {
    let going = true;
    const jobs: string[] = [];
    const done = (async () => {
      while (going) {
        jobs.push(await client.submit('diagnostics/sleep', { seconds: 0.2, steps: 2 }));
        await sleep(100);
      }
    })();
    return {
      async stop() {
        going = false;
        await done;
        return jobs;
      },
    };
  }

  /** The end of the lease of the worker that beat first, as the database has it. */
  async function leaseEnd(): Promise<number> {
    const { rows: found } = await rows.query<{ beat: number }>(
      'SELECT extract(epoch FROM min(beat_at))::float8 * 1000 AS beat FROM workers',
    );
    return Number(found[0]?.beat) + LEASE_MS;
  }

  it('stops its work in time, others take over, and it serves again when the link is back', async () => {
    const long = await Promise.all(LONG_JOBS.map((job) => client.submit('test/tracing', { job })));
    const started = (site: 'inside' | 'outside') =>
      new Set(traces(site).map(({ job }) => job)).size;
    await expect.poll(() => started('inside'), { timeout: 10_000 }).toBe(LONG_JOBS.length);
    const outside = await start(database.url, 'outside', { ROLE: 'worker' });
    const short = load();
    await sleep(2_000);

    namespace.cutLink();
    const cutAt = Date.now();
    await sleep(1_000);
    const endOfLease = await leaseEnd();
    await expect
      .poll(() => started('outside'), { timeout: STARTS_ELSEWHERE_MS + 10_000 })
      .toBe(LONG_JOBS.length);
    const takenOver = LONG_JOBS.map(
      (job) => traces('outside').find((each) => each.job === job)?.at as number,
    );
    expect(Math.max(...takenOver)).toBeLessThan(cutAt + STARTS_ELSEWHERE_MS);
    const lastInside = traces('inside').at(-1)?.at as number;
    expect(lastInside).toBeLessThan(endOfLease);
    expect(lastInside).toBeLessThan(Math.min(...takenOver));
    console.log(
      `stopped ${((endOfLease - lastInside) / 1000).toFixed(1)} s before the lease ended; ` +
        `started elsewhere ${((Math.max(...takenOver) - cutAt) / 1000).toFixed(1)} s after the cut`,
    );

    namespace.mendLink();
    const jobs = [...long, ...(await short.stop())];
    for (const job of jobs) {
      expect((await client.ended(job, 60_000)).status).toBe('succeeded');
    }
    expect(traces('inside').filter(({ at }) => at > lastInside)).toEqual([]);

    // Alone, and without a restart.
    await outside.end('SIGTERM');
    const last = await client.submit('diagnostics/sleep', { seconds: 0.2, steps: 2 });
    expect((await client.ended(last, 60_000)).status).toBe('succeeded');

    for (const job of long) {
      expect((await client.get(`${job}/detail`)).body).toMatchObject({ attempt: 2, crashes: 1 });
    }
    const ends = [inside, outside]
      .flatMap((service) => service.logLines())
      .filter(({ transition, to }) => transition === 'succeed' && to === 'succeeded');
    expect(ends).toHaveLength(jobs.length + 1);
    expect(new Set(ends.map(({ job }) => job)).size).toBe(jobs.length + 1);
  }, 180_000);
});
