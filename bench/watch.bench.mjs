// What it costs to be watched: a drain and status polls with metrics that are scraped each second, and with
// traces. Each runs by turns with one that is not watched, right before or right behind it, and what counts is
// processor time: two at the same time share caches and processors as they happen to, and differed by a fifth.
// node bench/watch.bench.mjs [--jobs 20000] [--seconds 4] [--rounds 5] [--only metrics] [--markdown file]
import { createSecretKey, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import autocannon from 'autocannon';
import { SignJWT } from 'jose';
import pg from 'pg';
import { atEnd, runBenchmark } from './support/cleanup.mjs';
import { benchDatabase } from './support/embedded.mjs';
import { machine } from './support/machine.mjs';
import { processorTime } from './support/processor-time.mjs';
import { freePort, SECRET, startServer } from './support/processes.mjs';
import { JOB_TABLES, queueJobs } from './support/queue-jobs.mjs';
import { publish } from './support/report.mjs';
import { median } from './support/statistics.mjs';
import { table } from './support/table.mjs';

const { values: options } = parseArgs({
  options: {
    jobs: { type: 'string', default: '20000' },
    seconds: { type: 'string', default: '4' },
    rounds: { type: 'string', default: '5' },
    only: { type: 'string', default: '' },
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
const ALL = {
  nothing: {},
  metrics: { metrics: true },
  'traces, none recorded': { traces: true, recorded: 0 },
  'traces, 1 in 100 recorded': { traces: true, recorded: 0.01 },
  'traces, all to be recorded': { traces: true, recorded: 1 },
  'traces, all recorded, without a limit': { traces: true, recorded: 1, limit: '100000' },
};

/** Beside nothing, those whose names begin so. */
const VARIANTS = Object.fromEntries(
  Object.entries(ALL).filter(([name]) => name === 'nothing' || name.startsWith(options.only)),
);

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
async function start(role, { metrics = false, traces = false, limit = '100' }, database, endpoint) {
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
    ...(traces && { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, TRACES_PER_SECOND: limit }),
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

/** A database, and what is measured over it. */
class Stage {
  /** @param {string} url @param {import('pg').Client} client */
  constructor(url, client) {
    this.url = url;
    this.client = client;
  }

  static async over(url) {
    const client = new pg.Client(url);
    await client.connect();
    atEnd(() => client.end().catch(() => {}));
    return new Stage(url, client);
  }

  /** Fills the queue, and starts a worker that may not take anything yet. */
  async fill(variant, endpoint) {
    await this.client.query(`TRUNCATE ${JOB_TABLES}, organization_limits`);
    await queueJobs(this.client, [org], jobs);
    if (variant.traces) {
      await this.client.query(
        `UPDATE job_submissions SET traceparent = $1 || CASE WHEN random() < $2 THEN '01' ELSE '00' END`,
        [TRACE, variant.recorded],
      );
    }
    await this.client.query(`VACUUM ANALYZE ${JOB_TABLES}`);
    await this.client.query(
      'INSERT INTO organization_limits (org_id, max_running) VALUES ($1, 0)',
      [org],
    );
    return start('worker', variant, this.url, endpoint);
  }

  /** Lets the worker go. @returns its processor time for each job, in µs */
  async drain({ child }) {
    const before = processorTime(child.pid);
    await this.client.query('DELETE FROM organization_limits');
    await this.client.query(`SELECT pg_notify('headframe_work', '')`);
    for (;;) {
      await sleep(25);
      const { rows } = await this.client.query(
        'SELECT EXISTS (SELECT 1 FROM job_queue) OR EXISTS (SELECT 1 FROM job_leases) AS busy',
      );
      if (!rows[0].busy) break;
    }
    return (1_000 * (processorTime(child.pid) - before)) / jobs;
  }

  /** @returns the processor time of the server for each poll, in µs */
  async poll({ url, child }, variant, duration) {
    const { rows } = await this.client.query('SELECT id FROM job_submissions LIMIT 1');
    const before = processorTime(child.pid);
    const result = await autocannon({
      url: `${url}/compute/orgs/${org}/diagnostics/sleep/${rows[0].id}/status`,
      connections: CONNECTIONS,
      duration,
      headers: {
        authorization: `Bearer ${token}`,
        ...(variant.recorded === 1 && { traceparent: `${TRACE}01` }),
      },
    });
    // A server and its clients on few processors: one answer in a hundred may be a 503.
    if (result.non2xx > result['2xx'] / 100) {
      throw new Error(`answers by status: ${JSON.stringify(result.statusCodeStats)}`);
    }
    return (1_000 * (processorTime(child.pid) - before)) / result['2xx'];
  }
}

await runBenchmark(
  async () => {
    const server = await benchDatabase();
    const endpoint = await collector();
    const stage = await Stage.over(server.url);

    /** @returns {Promise<number[]>} what each of two variants costs; who is first changes from round to round */
    async function both(round, variants, { make, warm, measure }) {
      const costs = [];
      for (const index of round % 2 === 0 ? [0, 1] : [1, 0]) {
        const variant = variants[index];
        const replica = await make(variant);
        try {
          await warm(replica, variant);
          costs[index] = await measure(replica, variant);
        } finally {
          await replica.stop();
        }
      }
      return costs;
    }

    const WORK = {
      'a drained job': {
        make: (variant) => stage.fill(variant, endpoint),
        warm: () => sleep(1_500),
        measure: (worker) => stage.drain(worker),
      },
      'a status poll': {
        make: (variant) => start('api', variant, stage.url, endpoint),
        warm: (api, variant) => stage.poll(api, variant, 1),
        measure: (api, variant) => stage.poll(api, variant, seconds),
      },
    };
    const rows = [];
    for (const [what, work] of Object.entries(WORK)) {
      for (const [name, variant] of Object.entries(VARIANTS)) {
        const measured = [];
        for (let round = 0; round < rounds; round += 1) {
          measured.push(await both(round, [ALL.nothing, variant], work));
        }
        const ratios = measured.map(([bare, watched]) => watched / bare);
        rows.push([
          `${what}, ${name}`,
          median(measured.map(([bare]) => bare)).toFixed(1),
          median(measured.map(([, watched]) => watched)).toFixed(1),
          median(ratios).toFixed(3),
          Math.min(...ratios).toFixed(3),
          Math.max(...ratios).toFixed(3),
        ]);
      }
    }
    const text = [
      `${new Date().toISOString().slice(0, 10)}, ${machine()}. Processor time of the replica, µs; medians of ${rounds} rounds: drains of ${jobs} jobs, ${seconds} s of polls by ${CONNECTIONS} connections.`,
      '',
      table([['', 'not watched', 'watched', 'ratio', 'least', 'most'], ...rows]),
      '',
    ].join('\n');
    publish(text, options.markdown);
  },
  { minutes: 40 },
);
