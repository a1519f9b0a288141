// What it costs to be watched: a drain and status polls without metrics and traces, with metrics that are
// scraped each second, and with traces, round by round one after the other.
// node bench/watch.bench.mjs [--jobs 20000] [--seconds 4] [--rounds 5] [--markdown file]
import { createSecretKey, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import autocannon from 'autocannon';
import { SignJWT } from 'jose';
import pg from 'pg';
import { atEnd, runBenchmark } from './support/cleanup.mjs';
import { costsOf } from './support/costs.mjs';
import { benchDatabase } from './support/embedded.mjs';
import { machine } from './support/machine.mjs';
import { freePort, SECRET, startServer } from './support/processes.mjs';
import { JOB_TABLES, queueJobs } from './support/queue-jobs.mjs';
import { publish } from './support/report.mjs';
import { median } from './support/statistics.mjs';
import { figure, table } from './support/table.mjs';

const { values: options } = parseArgs({
  options: {
    jobs: { type: 'string', default: '20000' },
    seconds: { type: 'string', default: '4' },
    rounds: { type: 'string', default: '5' },
    markdown: { type: 'string' },
  },
});
const jobs = Number(options.jobs);
const seconds = Number(options.seconds);
const rounds = Number(options.rounds);
const CONNECTIONS = 50;
const SLOTS = '100';
const TRACE = `00-${'1'.repeat(32)}-${'2'.repeat(16)}-`;

/** What is switched on; `recorded` of how many of the jobs, or polls, somebody records the trace. */
const VARIANTS = {
  nothing: {},
  metrics: { metrics: true },
  'traces, none recorded': { traces: true, recorded: 0 },
  'traces, 1 in 100 recorded': { traces: true, recorded: 0.01 },
  'traces, all recorded': { traces: true, recorded: 1 },
};

const org = randomUUID();
const token = await new SignJWT({ orgs: org, scope: 'compute:read compute:execute', sub: 'bench' })
  .setProtectedHeader({ alg: 'HS256' })
  .setExpirationTime('2h')
  .sign(createSecretKey(Buffer.from(SECRET)));

/** A collector that takes everything. @returns {Promise<string>} its address */
async function collector() {
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.end('{}'));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(() => server.close());
  return `http://127.0.0.1:${server.address().port}`;
}

/** Starts a replica as a variant has it, and scrapes it each second until it is stopped. */
async function start(role, { metrics = false, traces = false }, database, endpoint) {
  const port = await freePort();
  const server = await startServer('dist/main.js', {
    DATABASE_URL: database,
    // Metrics are nowhere there unless they have a port.
    NODE_ENV: 'production',
    ROLE: role,
    LOG_LEVEL: 'error',
    WORKER_SLOTS: SLOTS,
    RATE_LIMIT_POLLS: '10000000',
    ...(metrics && { METRICS_PORT: String(port) }),
    ...(traces && { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint }),
  });
  const scrape =
    metrics && setInterval(() => void fetch(`http://127.0.0.1:${port}/metrics`), 1_000);
  return {
    ...server,
    async stop() {
      clearInterval(scrape);
      await server.stop();
    },
  };
}

await runBenchmark(
  async () => {
    const { url } = await benchDatabase();
    const endpoint = await collector();
    const client = new pg.Client(url);
    await client.connect();
    atEnd(() => client.end().catch(() => {}));
    const costs = await costsOf(url);

    /** Processor time of the worker for each job, in µs, and jobs a second. */
    async function drain(variant) {
      await client.query(`TRUNCATE ${JOB_TABLES}, organization_limits`);
      await queueJobs(client, [org], jobs);
      if (variant.traces) {
        await client.query(
          `UPDATE job_submissions SET traceparent = $1 || CASE WHEN random() < $2 THEN '01' ELSE '00' END`,
          [TRACE, variant.recorded],
        );
      }
      await client.query(`VACUUM ANALYZE ${JOB_TABLES}`);
      await client.query('CHECKPOINT');
      await client.query('INSERT INTO organization_limits (org_id, max_running) VALUES ($1, 0)', [
        org,
      ]);
      const worker = await start('worker', variant, url, endpoint);
      try {
        // Its start is none of the drain.
        await sleep(1_500);
        await costs.begin([worker.child]);
        await client.query('DELETE FROM organization_limits');
        await client.query(`SELECT pg_notify('headframe_work', '')`);
        for (;;) {
          await sleep(25);
          const { rows } = await client.query(
            'SELECT EXISTS (SELECT 1 FROM job_queue) OR EXISTS (SELECT 1 FROM job_leases) AS busy',
          );
          if (!rows[0].busy) break;
        }
        const { own } = await costs.end(jobs);
        const { rows } = await client.query(
          'SELECT extract(epoch FROM max(ended_at) - min(started_at))::float8 AS seconds FROM job_ends',
        );
        return { own, rate: jobs / rows[0].seconds };
      } finally {
        await worker.stop();
      }
    }

    /** Processor time of the server for each poll, in µs, and polls a second. */
    async function poll(variant) {
      await client.query(`TRUNCATE ${JOB_TABLES}`);
      await queueJobs(client, [org], 1);
      const { rows } = await client.query('SELECT id FROM job_submissions');
      const api = await start('api', variant, url, endpoint);
      try {
        const request = {
          url: `${api.url}/compute/orgs/${org}/diagnostics/sleep/${rows[0].id}/status`,
          connections: CONNECTIONS,
          headers: {
            authorization: `Bearer ${token}`,
            ...(variant.recorded === 1 && { traceparent: `${TRACE}01` }),
          },
        };
        await autocannon({ ...request, duration: 1 });
        await costs.begin([api.child]);
        const result = await autocannon({ ...request, duration: seconds });
        const { own } = await costs.end(result['2xx']);
        if (result.non2xx > 0) throw new Error(`${result.non2xx} answers were not 2xx`);
        return { own, rate: result['2xx'] / result.duration };
      } finally {
        await api.stop();
      }
    }

    const rows = [];
    for (const [what, measure] of Object.entries({
      'a drained job': drain,
      'a status poll': poll,
    })) {
      const measured = Object.fromEntries(Object.keys(VARIANTS).map((name) => [name, []]));
      for (let round = 0; round < rounds; round += 1) {
        for (const [name, variant] of Object.entries(VARIANTS)) {
          measured[name].push(await measure(variant));
        }
      }
      for (const [name, all] of Object.entries(measured)) {
        const ratios = all.map(({ own }, round) => own / measured.nothing[round].own);
        rows.push([
          `${what}, ${name}`,
          median(all.map(({ own }) => own)).toFixed(1),
          figure(median(all.map(({ rate }) => rate))),
          median(ratios).toFixed(3),
          Math.min(...ratios).toFixed(3),
          Math.max(...ratios).toFixed(3),
        ]);
      }
    }
    const text = [
      `${new Date().toISOString().slice(0, 10)}, ${machine()}. Medians of ${rounds} rounds: drains of ${jobs} jobs, ${seconds} s of polls by ${CONNECTIONS} connections.`,
      '',
      table([['', 'processor, µs', 'per second', 'ratio', 'least', 'most'], ...rows]),
      '',
    ].join('\n');
    publish(text, options.markdown);
  },
  { minutes: 30 },
);
