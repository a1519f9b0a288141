import { randomBytes, randomUUID } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client } from '../support/client.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { attributeOf, OtlpReceiver, type ReceivedSpan } from '../support/otlp-receiver.js';
import { manifest, tasksFolder } from '../support/process-tasks.js';
import { metricsUrl, Scrape } from '../support/scrape.js';
import { type Service, startService } from '../support/service.js';
import { token } from '../support/tokens.js';

const VARIOGRAM = {
  source: {
    coordinates: Array.from({ length: 60 }, (_, index) => [index % 10, Math.floor(index / 10)]),
    values: Array.from({ length: 60 }, (_, index) => Math.sin(index)),
  },
  lag: 1,
  cutoff: 5,
  model: 'spherical',
};

/** A client's place in a trace of its own. */
function clientSpan(sampled = true) {
  const [traceId, spanId] = [randomBytes(16).toString('hex'), randomBytes(8).toString('hex')];
  return { traceId, spanId, traceparent: `00-${traceId}-${spanId}-0${sampled ? 1 : 0}` };
}

describe('traces', () => {
  const org = randomUUID();
  let database: TestDatabase;
  let receiver: OtlpReceiver;
  let tasks: string;
  let api: Service;
  let worker: Service;
  let client: Client;

  beforeAll(async () => {
    database = await createTestDatabase();
    receiver = await OtlpReceiver.open();
    tasks = tasksFolder({
      traced: manifest({
        name: 'traced',
        command: [
          '/bin/sh',
          '-c',
          `read -r line; printf '{"results": {"traceparent": "%s"}}\\n' "$TRACEPARENT"`,
        ],
      }),
    });
    const settings = {
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20secret-of-the-collector',
      OTEL_SERVICE_NAME: 'headframe-test',
      TASKS_DIR: tasks,
      METRICS_PORT: '0',
    };
    api = await startService(database.url, { ...settings, ROLE: 'api' });
    worker = await startService(database.url, { ...settings, ROLE: 'worker' });
    client = new Client(api.url, org, await token(org));
  });
  afterAll(async () => {
    await Promise.all([api?.stop(), worker?.stop()]);
    receiver?.close();
    await database?.drop();
    rmSync(tasks, { recursive: true, force: true });
  });

  async function submit(
    task: string,
    parameters: object,
    traceparent?: string,
    by = client,
  ): Promise<string> {
    const headers = traceparent === undefined ? {} : { traceparent };
    const answer = await by.execute(task, { parameters }, headers as Record<string, string>);
    expect(answer.status).toBe(303);
    return (answer.headers.get('location') as string).replace(/\/status$/, '');
  }
  const spansOf = (traceId: string): ReceivedSpan[] =>
    receiver.spans.filter((span) => span.traceId === traceId);
  const spanOf = (traceId: string, name: string) =>
    spansOf(traceId).find((span) => span.name === name);

  it('go from the client through submit, wait and attempt to the pieces of a task in its thread', async () => {
    const { traceId, spanId, traceparent } = clientSpan();
    const job = await submit('geostatistics/variogram', VARIOGRAM, traceparent);
    expect((await client.ended(job)).status).toBe('succeeded');
    await expect
      .poll(() =>
        spansOf(traceId)
          .map(({ name }) => name)
          .toSorted(),
      )
      .toEqual([
        'POST /compute/orgs/:org_id/:topic/:task',
        'attempt geostatistics/variogram',
        'compare pairs',
        'fit model',
        'store outcome',
        'wait',
      ]);
    const [request, attempt, wait, piece] = [
      'POST /compute/orgs/:org_id/:topic/:task',
      'attempt geostatistics/variogram',
      'wait',
      'fit model',
    ].map((name) => spanOf(traceId, name)) as ReceivedSpan[];
    expect(request).toMatchObject({ parentSpanId: spanId, kind: 2 });
    expect(attributeOf(request, 'http.response.status_code')).toBe(303);
    expect(wait).toMatchObject({ parentSpanId: request?.spanId });
    expect(attempt).toMatchObject({
      parentSpanId: request?.spanId,
      kind: 5,
      links: [{ traceId, spanId: request?.spanId }],
    });
    expect(attributeOf(attempt, 'headframe.job.id')).toBe(job.split('/').at(-1));
    expect(attributeOf(attempt, 'headframe.attempt.outcome')).toBe('succeeded');
    expect(piece).toMatchObject({ parentSpanId: attempt?.spanId });
    expect(BigInt(piece!.startTimeUnixNano)).toBeGreaterThanOrEqual(
      BigInt(attempt!.startTimeUnixNano) - 1_000_000n,
    );
    expect(receiver.services).toEqual(new Set(['headframe-test']));
    expect(receiver.headers[0]?.authorization).toBe('Bearer secret-of-the-collector');
  });

  it('are named in the log of both processes, which never names the token of the collector', async () => {
    const { traceId, traceparent } = clientSpan();
    await client.ended(await submit('diagnostics/sleep', { seconds: 0 }, traceparent));
    const lines = (service: Service) =>
      service.logLines().filter(({ trace_id }) => trace_id === traceId);
    await expect
      .poll(() => lines(worker).map(({ transition }) => transition))
      .toEqual(['claim', 'succeed']);
    expect(lines(api).map(({ msg, transition }) => transition ?? msg)).toEqual([
      'create',
      'request',
    ]);
    expect(api.log() + worker.log()).not.toContain('secret-of-the-collector');
  });

  it('reach commands by TRACEPARENT in their environment', async () => {
    const { traceId, traceparent } = clientSpan();
    const job = await submit('test/traced', {}, traceparent);
    await client.ended(job);
    const { results } = (await client.get(job)).body as { results: { traceparent: string } };
    await expect.poll(() => spanOf(traceId, 'attempt test/traced')?.spanId).toBeDefined();
    expect(results.traceparent).toBe(
      `00-${traceId}-${spanOf(traceId, 'attempt test/traced')?.spanId}-01`,
    );
  });

  it('begin anew where a client has none or a wrong one, and are none for its polls', async () => {
    const before = receiver.spans.length;
    const wrong = [
      'nonsense',
      `00-${'0'.repeat(32)}-${'1'.repeat(16)}-01`,
      `ff-${'1'.repeat(32)}-${'1'.repeat(16)}-01`,
      `00-${'1'.repeat(32)}-${'1'.repeat(16)}-01-more`,
      '0'.repeat(4_000),
    ];
    for (const traceparent of wrong) {
      await client.ended(await submit('diagnostics/sleep', { seconds: 0 }, traceparent));
    }
    await expect
      .poll(
        () => receiver.spans.slice(before).filter(({ name }) => name.startsWith('attempt')).length,
      )
      .toBe(wrong.length);
    const spans = receiver.spans.slice(before);
    expect(spans.filter(({ name }) => name.startsWith('GET'))).toEqual([]);
    const requests = spans.filter(({ name }) => name.startsWith('POST'));
    expect(new Set(requests.map(({ traceId }) => traceId)).size).toBe(wrong.length);
    expect(requests.every(({ parentSpanId }) => !parentSpanId)).toBe(true);
    expect(spans.some(({ traceId }) => traceId === '1'.repeat(32))).toBe(false);
  });

  it('are not told of what a client does not record, but go on through it', async () => {
    const { traceId, traceparent } = clientSpan(false);
    const job = await submit('test/traced', {}, traceparent);
    await client.ended(job);
    const { results } = (await client.get(job)).body as { results: { traceparent: string } };
    expect(results.traceparent).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-00$`));
    const after = clientSpan();
    await client.ended(await submit('diagnostics/sleep', { seconds: 0 }, after.traceparent));
    await expect.poll(() => spansOf(after.traceId).length).toBeGreaterThan(3);
    expect(spansOf(traceId)).toEqual([]);
  });

  it('are of no more requests and attempts in a second than may be: what is told hangs together', async () => {
    const few = await startService(database.url, {
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      TRACES_PER_SECOND: '2',
      METRICS_PORT: '0',
    });
    const own = new Client(few.url, org, await token(org));
    const places = Array.from({ length: 20 }, () => clientSpan());
    const jobs = await Promise.all(
      places.map(({ traceparent }) =>
        submit('diagnostics/sleep', { seconds: 0 }, traceparent, own),
      ),
    );
    for (const job of jobs) {
      expect((await own.ended(job)).status).toBe('succeeded');
    }
    const scrape = await Scrape.of(metricsUrl(few));
    expect(scrape.value('headframe_trace_spans_total', { result: 'limited' })).toBeGreaterThan(10);
    expect(await few.end('SIGTERM')).toBe(0);
    const spans = places.flatMap(({ traceId }) => spansOf(traceId));
    const known = new Set([...places, ...spans].map(({ spanId }) => spanId));
    expect(spans.length).toBeGreaterThan(0);
    expect(spans.filter(({ parentSpanId }) => !known.has(String(parentSpanId)))).toEqual([]);
  });

  it.each(['hangs', 'refuses', 'lies', 'drips'] as const)(
    'hold up nothing while the collector %s, and jobs go on',
    async (behaviour) => {
      receiver.behaviour = behaviour;
      const requests = receiver.requests;
      for (let count = 0; count < 5; count++) {
        const { traceparent } = clientSpan();
        const job = await submit('diagnostics/sleep', { seconds: 0 }, traceparent);
        expect((await client.ended(job, 5_000)).status).toBe('succeeded');
      }
      await expect.poll(() => receiver.requests).toBeGreaterThan(requests);
      receiver.behaviour = 'good';
    },
  );

  it(
    'are counted by what became of them, and come again when the collector does',
    { timeout: 120_000 },
    async () => {
      const sent: string[] = [];
      receiver.behaviour = 'refuses';
      await submit('diagnostics/sleep', { seconds: 0 }, clientSpan().traceparent);
      const url = metricsUrl(api);
      await expect
        .poll(async () =>
          (await Scrape.of(url)).value('headframe_trace_spans_total', { result: 'refused' }),
        )
        .toBeGreaterThan(0);
      receiver.behaviour = 'good';
      await expect
        .poll(
          async () => {
            const { traceId, traceparent } = clientSpan();
            sent.push(traceId);
            await client.ended(await submit('diagnostics/sleep', { seconds: 0 }, traceparent));
            return sent.filter((each) => spanOf(each, 'attempt diagnostics/sleep')).length;
          },
          { timeout: 90_000, interval: 1_000 },
        )
        .toBeGreaterThan(0);
    },
  );

  it('delay the end of a process by a second at most', async () => {
    receiver.behaviour = 'hangs';
    const service = await startService(database.url, {
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      ROLE: 'api',
    });
    const own = new Client(service.url, org, await token(org));
    await own.execute('diagnostics/sleep', { parameters: { seconds: 0 } });
    const began = performance.now();
    expect(await service.end('SIGTERM')).toBe(0);
    expect(performance.now() - began).toBeLessThan(6_000);
    receiver.behaviour = 'good';
  });

  it('load nothing of OpenTelemetry where nobody wants them', async () => {
    const service = await startService(database.url, { ROLE: 'api' });
    try {
      const maps = readFileSync(join('/proc', String(service.pid), 'environ'), 'utf8');
      expect(maps).not.toContain('OTEL');
      const own = new Client(service.url, org, await token(org));
      const answer = await own.execute(
        'diagnostics/sleep',
        { parameters: { seconds: 0 } },
        { traceparent: clientSpan().traceparent },
      );
      expect(answer.status).toBe(303);
      expect(service.log()).not.toContain('trace_id');
    } finally {
      await service.stop();
    }
  });
});
