// Which part of a worker's processor time is spent on being watched, by its own profile of a drain: what else
// the machine does falls on all of it alike, where rates and totals differ by a quarter from run to run.
// node bench/watch-shares.bench.mjs [--jobs 150000] [--markdown file]
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { atEnd, runBenchmark } from './support/cleanup.mjs';
import { benchDatabase } from './support/embedded.mjs';
import { machine } from './support/machine.mjs';
import { freePort, startServer } from './support/processes.mjs';
import { JOB_TABLES, queueJobs } from './support/queue-jobs.mjs';
import { publish } from './support/report.mjs';
import { table } from './support/table.mjs';

const { values: options } = parseArgs({
  options: {
    jobs: { type: 'string', default: '150000' },
    markdown: { type: 'string' },
  },
});
const jobs = Number(options.jobs);
const TRACE = `00-${'1'.repeat(32)}-${'2'.repeat(16)}-`;

/** `recorded`: of how many of the jobs somebody records the trace. */
const VARIANTS = {
  'metrics, scraped each second': { metrics: true },
  'traces, none recorded': { recorded: 0 },
  'traces, 1 in 100 recorded': { recorded: 0.01 },
  'traces, all to be recorded': { recorded: 1 },
  'traces, all recorded, without a limit': { recorded: 1, limit: '100000' },
};
/** Functions whose own time counts, by file and name; and those below which everything does. */
const OWN =
  /platform\/metrics\/|jobs\/metrics\/|worker-metrics|platform\/tracing\/|runners\/trace\/|perf\//;
const ALL_BELOW =
  /exposition|prometheus-io|perf\/observe|addTraces|span-queue|otlp-tracing|trace-budget|opentelemetry/;
/** Not work: waiting, what cannot be told, and the start. */
const NO_WORK = new Set(['(idle)', '(program)', 'compileSourceTextModule']);

/** @param {string} file a profile as V8 writes it @returns {{busy: number, share: number}} seconds, and 0–1 */
function shareOf(file) {
  const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(file, 'utf8'));
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parents = new Map(
    nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])),
  );
  const named = (id) => `${byId.get(id).callFrame.url} ${byId.get(id).callFrame.functionName}`;
  const known = new Map();
  const isBelow = (id) => {
    if (!known.has(id)) {
      const parent = parents.get(id);
      known.set(id, ALL_BELOW.test(named(id)) || (parent !== undefined && isBelow(parent)));
    }
    return known.get(id);
  };
  let [busy, watching] = [0, 0];
  samples.forEach((id, index) => {
    if (NO_WORK.has(byId.get(id).callFrame.functionName)) return;
    busy += timeDeltas[index];
    if (OWN.test(named(id)) || isBelow(id)) watching += timeDeltas[index];
  });
  return { busy: busy / 1e6, share: watching / busy };
}

await runBenchmark(
  async () => {
    const { url } = await benchDatabase();
    const client = new pg.Client(url);
    await client.connect();
    atEnd(() => client.end().catch(() => {}));
    const collector = createServer((request, response) => {
      request.resume().on('end', () => response.end('{}'));
    }).listen(0, '127.0.0.1');
    await once(collector, 'listening');
    atEnd(() => collector.close());
    const org = randomUUID();

    async function profile({ metrics = false, recorded, limit = '100' }) {
      await client.query(`TRUNCATE ${JOB_TABLES}, organization_limits`);
      await queueJobs(client, [org], jobs);
      if (recorded !== undefined) {
        await client.query(
          `UPDATE job_submissions SET traceparent = $1 || CASE WHEN random() < $2 THEN '01' ELSE '00' END`,
          [TRACE, recorded],
        );
      }
      await client.query(`VACUUM ANALYZE ${JOB_TABLES}`);
      const folder = mkdtempSync(join(tmpdir(), 'headframe-profile-'));
      atEnd(() => rmSync(folder, { recursive: true, force: true }));
      const port = await freePort();
      const worker = await startServer(
        'dist/main.js',
        {
          DATABASE_URL: url,
          NODE_ENV: 'production',
          ROLE: 'worker',
          LOG_LEVEL: 'error',
          WORKER_SLOTS: '100',
          ...(metrics && { METRICS_PORT: String(port) }),
          ...(recorded !== undefined && {
            OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${collector.address().port}`,
            TRACES_PER_SECOND: limit,
          }),
        },
        ['--cpu-prof', `--cpu-prof-dir=${folder}`],
      );
      const scrape =
        metrics && setInterval(() => void fetch(`http://127.0.0.1:${port}/metrics`), 1_000);
      for (;;) {
        await sleep(50);
        const { rows } = await client.query(
          'SELECT EXISTS (SELECT 1 FROM job_queue) OR EXISTS (SELECT 1 FROM job_leases) AS busy',
        );
        if (!rows[0].busy) break;
      }
      clearInterval(scrape);
      await worker.stop();
      // Threads have profiles of their own, and no part in this.
      return readdirSync(folder)
        .map((file) => shareOf(join(folder, file)))
        .toSorted((one, other) => other.busy - one.busy)[0];
    }

    const rows = [];
    for (const [name, variant] of Object.entries(VARIANTS)) {
      const { busy, share } = await profile(variant);
      rows.push([name, `${(100 * share).toFixed(1)} %`, ((1e6 * busy) / jobs).toFixed(1)]);
    }
    const text = [
      `${new Date().toISOString().slice(0, 10)}, ${machine()}. Drains of ${jobs} jobs by one worker, profiled.`,
      '',
      table([['', 'part spent on being watched', 'all, µs a job'], ...rows]),
      '',
    ].join('\n');
    publish(text, options.markdown);
  },
  { minutes: 20 },
);
