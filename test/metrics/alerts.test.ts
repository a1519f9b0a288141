import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client } from '../support/client.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { HAS_PROMETHEUS, Prometheus, promtool } from '../support/prometheus.js';
import { metricsUrl } from '../support/scrape.js';
import { type Service, startService } from '../support/service.js';
import { StallingProxy } from '../support/stalling-proxy.js';
import { token } from '../support/tokens.js';

const project = (file: string): string => fileURLToPath(new URL(`../../${file}`, import.meta.url));
const RULES = project('deploy/prometheus/rules.yaml');
/** How long a process is stopped, for its event loop to lag. */
const STOPPED_MS = 1_500;
const PATIENCE = { timeout: 60_000, interval: 500 };

interface Panel {
  readonly title: string;
  readonly targets?: readonly { readonly expr: string }[];
}

describe.skipIf(!HAS_PROMETHEUS)('the rules of Prometheus', () => {
  it('are right, and fire after the time they say', () => {
    expect(promtool(['check', 'rules', RULES]).code).toBe(0);
    const tested = promtool(['test', 'rules', project('deploy/prometheus/rules.test.yaml')]);
    expect(tested.said).toContain('SUCCESS');
    expect(tested.code).toBe(0);
  });

  it('have each a section in the runbook that they lead to', () => {
    const runbook = readFileSync(project('docs/runbook.md'), 'utf8');
    const rules = readFileSync(RULES, 'utf8');
    const alerts = [...rules.matchAll(/- alert: (\w+)/g)].map(([, name]) => name as string);
    expect(alerts.length).toBeGreaterThan(10);
    for (const name of alerts) {
      expect(rules).toContain(`runbook_url: docs/runbook.md#${name.toLowerCase()}\n`);
      expect(runbook).toMatch(new RegExp(`^## ${name}$`, 'm'));
    }
    expect([...runbook.matchAll(/^## (Headframe\w+)$/gm)].map(([, name]) => name)).toEqual(alerts);
  });
});

describe.skipIf(!HAS_PROMETHEUS)('a real Prometheus', () => {
  const org = randomUUID();
  let database: TestDatabase;
  let owner: pg.Client;
  let toApi: StallingProxy;
  let toWorker: StallingProxy;
  let api: Service;
  let worker: Service;
  let client: Client;
  let prometheus: Prometheus;
  let alerts: ReadonlyMap<string, string>;

  beforeAll(async () => {
    database = await createTestDatabase();
    owner = new pg.Client(database.url);
    await owner.connect();
    [toApi, toWorker] = [
      await StallingProxy.open(database.url),
      await StallingProxy.open(database.url),
    ];
    const settings = { METRICS_PORT: '0', LEASE_SECONDS: '4' };
    api = await startService(toApi.url, {
      ...settings,
      ROLE: 'api',
      DATABASE_POOL_SIZE: '3',
      MAX_STREAMS_ORG: '0',
    });
    worker = await startService(toWorker.url, { ...settings, ROLE: 'worker' });
    client = new Client(api.url, org, await token(org));
    prometheus = await Prometheus.start([metricsUrl(api), metricsUrl(worker)], RULES);
    alerts = await prometheus.alerts();
  });
  afterAll(async () => {
    await prometheus?.stop();
    await Promise.all([api?.stop(), worker?.stop()]);
    toApi?.close();
    toWorker?.close();
    await owner?.end();
    await database?.drop();
  });

  /** Waits until the condition of an alert is true; its `for` is tested with rules.test.yaml. */
  const fires = (alert: string) =>
    expect
      .poll(async () => (await prometheus.query(alerts.get(alert) as string)).length, {
        ...PATIENCE,
        message: alert,
      })
      .toBeGreaterThan(0);
  const isQuiet = async (alert: string) =>
    expect(await prometheus.query(alerts.get(alert) as string), alert).toEqual([]);

  it('finds both formats good, and every alert quiet while all is well', async () => {
    await expect.poll(async () => (await prometheus.query('sum(up)'))[0]?.value, PATIENCE).toBe(2);
    const job = await client.submit('diagnostics/sleep', { seconds: 0.1 });
    await client.ended(job);
    await expect
      .poll(
        async () => (await prometheus.query('sum(headframe_jobs_ended_total)'))[0]?.value,
        PATIENCE,
      )
      .toBe(1);
    expect(await prometheus.query('max(headframe_workers{state="running"})')).toMatchObject([
      { value: 1 },
    ]);
    for (const alert of alerts.keys()) {
      await isQuiet(alert);
    }
  });

  it('answers every query of the dashboard, of metrics that are there', async () => {
    const { panels } = JSON.parse(
      readFileSync(project('deploy/grafana/headframe.json'), 'utf8'),
    ) as { panels: Panel[] };
    const queries = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
    expect(queries.length).toBeGreaterThan(30);
    const known = new Set(
      (await prometheus.query('count by (__name__) ({job="headframe"})')).map(
        ({ metric }) => metric.__name__,
      ),
    );
    /** Series of them begin with what has not happened here. */
    const notYet = [
      'headframe_jobs',
      'headframe_database_query_failures_total',
      'headframe_cancels_total',
    ];
    for (const query of queries) {
      const expression = query.replaceAll('$__rate_interval', '1m');
      await prometheus.query(expression);
      for (const [name] of expression.matchAll(/\b(headframe|nodejs|process)_\w+/g)) {
        expect(known.has(name) || notYet.includes(name), `${name} of ${query}`).toBe(true);
      }
    }
  });

  it('sees jobs that fail', async () => {
    for (let count = 0; count < 8; count++) {
      await client.submit('diagnostics/sleep', { seconds: 0, fail: true });
    }
    await fires('HeadframeJobsFail');
  });

  it('sees clients that are limited', async () => {
    const refused = () => Promise.all(Array.from({ length: 100 }, () => client.get('jobs/events')));
    const answers = [...(await refused())];
    // Prometheus sees no increase in what begins with it.
    await expect
      .poll(
        async () =>
          (await prometheus.query('sum(headframe_http_requests_total{status="429"})'))[0]?.value,
        PATIENCE,
      )
      .toBe(100);
    answers.push(...(await refused()));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([429]));
    await fires('HeadframeClientsLimited');
  });

  it('sees a process that does not get round to its work', async () => {
    // For some moments only: what lasts for minutes is the same figure again and again.
    const rule = alerts.get('HeadframeEventLoopBlocked') as string;
    const lag = /^(\w+\{[^}]*\}) > (.*)$/.exec(rule);
    await expect
      .poll(async () => {
        // Again each time: one pause among a hundred punctual turns would be no 99th percentile.
        process.kill(api.pid, 'SIGSTOP');
        await sleep(STOPPED_MS);
        process.kill(api.pid, 'SIGCONT');
        return (await prometheus.query(`max_over_time(${lag?.[1]}[1m]) > ${lag?.[2]}`)).length;
      }, PATIENCE)
      .toBeGreaterThan(0);
  });

  it('sees a schema that this version cannot work with', async () => {
    const name = '29990101000000_unknown';
    await owner.query(
      `INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at, logs)
       VALUES ('unknown', '', $1, now(), $2)`,
      [name, `oldest code: ${name}`],
    );
    await fires('HeadframeSchemaUnfit');
    await owner.query('DELETE FROM _prisma_migrations WHERE migration_name = $1', [name]);
    await expect.poll(async () => (await client.get('/health/ready')).status, PATIENCE).toBe(200);
  });

  it(
    'sees a database that is slow for all, and one that is gone',
    { timeout: 180_000 },
    async () => {
      await owner.query('BEGIN; LOCK TABLE job_submissions IN ACCESS EXCLUSIVE MODE');
      const refused = () => Promise.all(Array.from({ length: 12 }, () => client.get('jobs')));
      // Twice: Prometheus sees no increase in what begins with it.
      const held = refused().then(refused);
      await expect
        .poll(
          async () => (await prometheus.query('max(headframe_database_waiting)'))[0]?.value,
          PATIENCE,
        )
        .toBeGreaterThan(0);
      await held;
      await owner.query('ROLLBACK');
      await fires('HeadframeRequestsFail');
      await fires('HeadframeRequestsSlow');
      await fires('HeadframeDatabaseSlow');

      toApi.stall();
      await client.get(`diagnostics/sleep/${randomUUID()}/status`);
      await fires('HeadframeDatabaseFails');
      await fires('HeadframeFiguresStale');
      toApi.resume();
      await expect
        .poll(
          async () =>
            (await client.execute('diagnostics/sleep', { parameters: { seconds: 0 } })).status,
          PATIENCE,
        )
        .toBe(303);
    },
  );

  it(
    'sees a worker that cannot renew its leases, and that is lost',
    { timeout: 180_000 },
    async () => {
      const job = await client.submit('diagnostics/sleep', { seconds: 600, steps: 1 });
      await client.waitFor(job, ({ status }) => status === 'in progress');
      toWorker.stall();
      await fires('HeadframeLeasesLost');
      await fires('HeadframeWorkersLost');
      await fires('HeadframeNoWorkers');
      await owner.query(
        `UPDATE job_submissions SET created_at = created_at - interval '1 hour'
       WHERE id IN (SELECT job_id FROM job_queue)`,
      );
      await fires('HeadframeJobsWaitTooLong');
      await worker.stop();
      await fires('HeadframeDown');
    },
  );
});
