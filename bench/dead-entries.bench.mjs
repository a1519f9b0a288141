// Whether a long drain slows down: claims pass the dead entries of earlier ones, which vacuum takes away, but
// not while somebody holds a snapshot open.
// node bench/dead-entries.bench.mjs [--jobs 1000000] [--held 2000000] [--markdown file]
import { parseArgs } from 'node:util';
import pg from 'pg';
import { drain } from './queues/drain.mjs';
import * as headframe from './queues/headframe.mjs';
import { runBenchmark } from './support/cleanup.mjs';
import { benchDatabase } from './support/embedded.mjs';
import { load, machine } from './support/machine.mjs';
import { publish, say } from './support/report.mjs';
import { figure, table } from './support/table.mjs';

const { values: options } = parseArgs({
  options: {
    jobs: { type: 'string', default: '1000000' },
    held: { type: 'string', default: '2000000' },
    markdown: { type: 'string' },
  },
});
const DRAIN_MS = 300_000;

/** @returns {Promise<{first: number, last: number}>} jobs a second of the first and the last tenth */
async function tenths(pool) {
  const { rows } = await pool.query(
    `WITH tenth AS (
       SELECT ntile(10) OVER (ORDER BY ended_at) AS tenth, ended_at FROM job_ends
     )
     SELECT tenth, (count(*) / extract(epoch FROM max(ended_at) - min(ended_at)))::float8 AS rate
     FROM tenth WHERE tenth IN (1, 10) GROUP BY tenth ORDER BY tenth`,
  );
  return { first: rows[0].rate, last: rows[1].rate };
}

const busy = load();
await runBenchmark(
  async () => {
    const { url } = await benchDatabase();
    const queue = await headframe.open({ url });
    const pool = new pg.Pool({ connectionString: url, max: 2 });
    const start = () => headframe.startWorker({ url });
    const lines = [];
    const measure = async (title, jobs) => {
      const drained = await drain(queue, start, { jobs, processes: 1, maxMs: DRAIN_MS });
      const { first, last } = await tenths(pool);
      say(`${title}: ${figure(first)}/s, ${figure(last)}/s`);
      lines.push([
        title,
        jobs.toLocaleString('en'),
        figure(drained.rate),
        figure(first),
        figure(last),
        (last / first).toFixed(2),
      ]);
    };
    await measure('vacuum as configured', Number(options.jobs));
    const snapshot = new pg.Client(url);
    await snapshot.connect();
    const fill = queue.fill;
    // Opened once the entries are there, which are to die under it.
    queue.fill = async (count) => {
      await fill(count);
      await snapshot.query(
        'BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1 FROM job_queue LIMIT 1',
      );
    };
    await measure('a snapshot held open from the beginning', Number(options.held));
    await snapshot.end();
    await Promise.all([pool.end(), queue.close()]);
    const text = [
      `${new Date().toISOString().slice(0, 10)}, ${machine()}, load ${busy} before. One worker.`,
      '',
      table([
        ['', 'jobs', 'jobs/s', 'first tenth, jobs/s', 'last tenth, jobs/s', 'last / first'],
        ...lines,
      ]),
      '',
    ].join('\n');
    publish(text, options.markdown);
  },
  { minutes: 15 },
);
