import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/platform/config.js';
import { JobMetrics } from '../../src/jobs/metrics/job-metrics.js';
import {
  MAX_ORGANIZATIONS,
  OrganizationMetrics,
} from '../../src/jobs/metrics/organization-metrics.js';
import { acceptedFormat } from '../../src/platform/metrics/accepted-format.js';
import { Expositions } from '../../src/platform/metrics/exposition.js';
import { Metrics } from '../../src/platform/metrics/metrics.js';
import { Client } from '../support/client.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { HAS_PROMETHEUS, promtool } from '../support/prometheus.js';
import { metricsUrl, Scrape } from '../support/scrape.js';
import { type Service, startService } from '../support/service.js';
import { TEST_SECRET, token } from '../support/tokens.js';

const SLEEP = { topic: 'diagnostics', task: 'sleep' };

describe('the metrics of a replica', () => {
  const org = randomUUID();
  let database: TestDatabase;
  let service: Service;
  let client: Client;
  let url: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    service = await startService(database.url, { METRICS_PORT: '0' });
    url = metricsUrl(service);
    client = new Client(service.url, org, await token(org));
  });
  afterAll(async () => {
    await service?.stop();
    await database?.drop();
  });

  it('count each job once, however it ends', async () => {
    const good = await client.submit('diagnostics/sleep', { seconds: 0 });
    const bad = await client.submit('diagnostics/sleep', { seconds: 0, fail: true });
    await client.ended(good);
    await client.ended(bad);
    const running = await client.submit('diagnostics/sleep', { seconds: 600, steps: 1 });
    await client.waitFor(running, ({ status }) => status === 'in progress');
    await client.delete(running);
    await client.ended(running);
    const later = new Date(Date.now() + 3_600_000).toISOString();
    const waiting = await client.submit('diagnostics/sleep', { seconds: 0 }, { run_after: later });
    await client.delete(waiting);
    await client.delete(waiting);

    await expect
      .poll(async () => (await Scrape.of(url)).value('headframe_jobs_ended_total', SLEEP))
      .toBe(4);
    const scrape = await Scrape.of(url);
    const ended = (outcome: string) =>
      scrape.value('headframe_jobs_ended_total', { ...SLEEP, outcome });
    expect([ended('succeeded'), ended('failed'), ended('canceled')]).toEqual([1, 1, 2]);
    expect(scrape.value('headframe_jobs_submitted_total', SLEEP)).toBe(4);
    expect(scrape.value('headframe_attempts_started_total', SLEEP)).toBe(3);
    expect(scrape.value('headframe_attempts_ended_total', SLEEP)).toBe(3);
    expect(scrape.value('headframe_cancels_total', { state: 'running' })).toBe(1);
    expect(scrape.value('headframe_cancels_total', { state: 'waiting' })).toBe(1);
    expect(scrape.value('headframe_cancel_duration_seconds_count')).toBe(1);
    expect(scrape.value('headframe_job_wait_seconds_count', SLEEP)).toBe(3);
    expect(scrape.value('headframe_attempt_duration_seconds_count', SLEEP)).toBe(3);
  });

  it('count requests by routes and statements by names, never by what clients send', async () => {
    const secret = `path-${randomUUID()}`;
    await client.get(`/${secret}"\n`);
    await client.request('PROPFIND', `diagnostics/${secret}`);
    await expect
      .poll(async () =>
        (await Scrape.of(url)).value('headframe_http_requests_total', { method: 'other' }),
      )
      .toBe(1);
    const scrape = await Scrape.of(url);
    expect(scrape.text).not.toContain(secret);
    expect(scrape.text).not.toContain(org);
    const submits = { method: 'POST', route: '/compute/orgs/:org_id/:topic/:task' };
    expect(
      scrape.value('headframe_http_requests_total', { ...submits, status: '303' }),
    ).toBeGreaterThanOrEqual(4);
    const statement = { statement: 'request-cancel' };
    expect(
      scrape.value('headframe_database_query_duration_seconds_count', statement),
    ).toBeGreaterThanOrEqual(3);
    expect(scrape.value('headframe_database_connections', { pool: 'requests' })).toBeGreaterThan(0);
  });

  it('are told in both formats, by what the scraper would rather have', async () => {
    const plain = await fetch(url, { headers: { accept: 'text/plain;version=0.0.4' } });
    const open = await fetch(url, {
      headers: {
        accept:
          'application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
      },
    });
    expect(plain.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(open.headers.get('content-type')).toMatch(/^application\/openmetrics-text; version=1/);
    const text = await open.text();
    expect(text).toMatch(/\n# EOF\n$/);
    expect(text).toContain(
      '# TYPE headframe_jobs_submitted counter\nheadframe_jobs_submitted_total{',
    );
    expect(await plain.text()).toContain('# TYPE headframe_jobs_submitted_total counter\n');
  });

  it('ask the database once in five seconds, though scraped every 100 ms by three', async () => {
    const reads = async () =>
      (await Scrape.of(url)).value('headframe_database_query_duration_seconds_count', {
        statement: 'read-queue-figures',
      }) ?? 0;
    const before = await reads();
    const began = performance.now();
    for (let round = 0; round < 25; round++) {
      await Promise.all([1, 2, 3].map(() => Scrape.of(url)));
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const rounds = Math.ceil((performance.now() - began) / 5_000) + 1;
    expect((await reads()) - before).toBeLessThanOrEqual(rounds);
  });

  it('are at no other address, and for no other method', async () => {
    const { origin } = new URL(url);
    expect((await client.get('/metrics')).status).toBe(404);
    expect((await fetch(`${origin}/`)).status).toBe(404);
    expect((await fetch(url, { method: 'POST', body: 'x' })).status).toBe(405);
    expect((await fetch(url, { method: 'HEAD' })).status).toBe(200);
  });

  it.skipIf(!HAS_PROMETHEUS)('are as promtool wants them', async () => {
    expect(promtool(['check', 'metrics'], (await Scrape.of(url)).text)).toEqual({
      code: 0,
      said: '',
    });
  });
});

describe('where the metrics are', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database?.drop());

  it('is the port of the API in development, and nowhere in production', async () => {
    const development = await startService(database.url);
    try {
      expect((await fetch(`${development.url}/metrics`)).status).toBe(200);
      expect(development.log()).not.toContain('"metrics":"http');
    } finally {
      await development.stop();
    }
    const production = await startService(database.url, {
      NODE_ENV: 'production',
      AUTH_JWT_SECRET: TEST_SECRET,
    });
    try {
      expect((await fetch(`${production.url}/metrics`)).status).toBe(404);
    } finally {
      await production.stop();
    }
  });

  it('is told when the port is taken', async () => {
    const one = await startService(database.url, { METRICS_PORT: '0' });
    try {
      const { port } = new URL(metricsUrl(one));
      await expect(startService(database.url, { METRICS_PORT: port })).rejects.toThrow(
        /port \d+: another process listens there. Stop it, or set METRICS_PORT/,
      );
    } finally {
      await one.stop();
    }
  });
});

describe('labels', () => {
  const job = (orgId: string) => ({ ...SLEEP, orgId });

  it('name 200 organizations of 10,000, and none unless they are wanted', async () => {
    for (const wanted of [true, false]) {
      const metrics = new Metrics(true);
      const config = loadConfig({ METRICS_BY_ORGANIZATION: String(wanted) });
      const counts = new JobMetrics(metrics, new OrganizationMetrics(metrics, config));
      for (let index = 0; index < 10_000; index++) {
        counts.noteSubmit(job(randomUUID()));
      }
      const { text } = await new Expositions(metrics).in('prometheus');
      const named = text.match(/^headframe_organization_jobs_submitted_total\{.*$/gm) ?? [];
      expect(named).toHaveLength(wanted ? MAX_ORGANIZATIONS + 1 : 0);
      if (wanted) {
        expect(text).toContain(
          `headframe_organization_jobs_submitted_total{organization="other"} ${10_000 - MAX_ORGANIZATIONS}`,
        );
      }
      expect(text).toContain(
        'headframe_jobs_submitted_total{topic="diagnostics",task="sleep"} 10000',
      );
    }
  });

  it('of tasks beyond 300 are counted together', async () => {
    const metrics = new Metrics(true);
    const counts = new JobMetrics(metrics, new OrganizationMetrics(metrics, loadConfig({})));
    for (let index = 0; index < 1_000; index++) {
      counts.noteSubmit({ topic: 'many', task: `task-${index}`, orgId: randomUUID() });
    }
    const { text } = await new Expositions(metrics).in('prometheus');
    expect(text.match(/^headframe_jobs_submitted_total/gm)).toHaveLength(301);
    expect(text).toContain('headframe_jobs_submitted_total{topic="other",task="other"} 700');
  });

  it('may have quotes, backslashes and line ends in them, and series are bounded', async () => {
    const metrics = new Metrics(true);
    const counter = metrics.counter({
      name: 'odd_total',
      help: 'Odd\n"labels"',
      labels: ['value'],
    });
    counter.of('a "quoted" \\ line\nend').add();
    for (let index = 0; index < 5_000; index++) {
      counter.of(`value ${index}`).add();
    }
    const expositions = new Expositions(metrics);
    const { text } = await expositions.in('prometheus');
    expect(text).toContain('odd_total{value="a \\"quoted\\" \\\\ line\\nend"} 1');
    expect(text.match(/^odd_total\{/gm)?.length).toBeLessThanOrEqual(1_001);
    expect((await expositions.in('openmetrics')).text).toContain('# HELP odd Odd\\n"labels"\n');
    if (HAS_PROMETHEUS) {
      expect(promtool(['check', 'metrics'], text).said).not.toContain('error');
    }
  });

  it('refuse a second metric of the same name', () => {
    const metrics = new Metrics(true);
    metrics.counter({ name: 'one_total', help: 'One.' });
    expect(() => metrics.counter({ name: 'one_total', help: 'Two.' })).toThrow(/already/);
  });
});

describe('the format', () => {
  it.each([
    [undefined, 'prometheus'],
    ['*/*', 'prometheus'],
    ['application/openmetrics-text; version=1.0.0; charset=utf-8', 'openmetrics'],
    ['application/openmetrics-text;q=0.2,text/plain;q=0.8', 'prometheus'],
    ['text/plain;q=0.3,application/openmetrics-text;version=1.0.0;q=0.5', 'openmetrics'],
    ['application/openmetrics-text;q=0', 'prometheus'],
    ['application/openmetrics-text;q=nonsense', 'prometheus'],
    [',;,q=,;;', 'prometheus'],
  ] as const)('for Accept %s is %s', (accept, format) => {
    expect(acceptedFormat(accept)).toBe(format);
  });
});
