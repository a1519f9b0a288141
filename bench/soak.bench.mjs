// Whether tables and indexes stay bounded while jobs come, report progress, end and are deleted; with
// this service's settings of vacuum, and at the same time with PostgreSQL's own in another database.
// node bench/soak.bench.mjs [--minutes 12] [--per-second 200] [--progress 1000] [--kept 10000] [--markdown file]
import { parseArgs } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { reportProgress } from './growth/progress-load.mjs';
import { churn } from './soak/churn.mjs';
import { sizes } from './soak/sizes.mjs';
import { runBenchmark } from './support/cleanup.mjs';
import { benchDatabase } from './support/embedded.mjs';
import { machine } from './support/machine.mjs';
import { publish, say } from './support/report.mjs';
import { figure, table } from './support/table.mjs';

const { values: options } = parseArgs({
  options: {
    minutes: { type: 'string', default: '12' },
    'per-second': { type: 'string', default: '200' },
    progress: { type: 'string', default: '1000' },
    kept: { type: 'string', default: '10000' },
    markdown: { type: 'string' },
  },
});
const minutes = Number(options.minutes);
const PARTS = 4;

/** Everything that the migrations set on the tables of jobs that change, and of workers, as PostgreSQL has it. */
const RESET = ['job_queue', 'job_leases', 'workers']
  .map(
    (name) => `ALTER TABLE ${name} RESET (fillfactor, autovacuum_vacuum_scale_factor,
      autovacuum_vacuum_threshold, autovacuum_vacuum_cost_delay)`,
  )
  .join('; ');

/** @returns {Promise<{parts: Record<string, number>[], vacuums: number, ended: number}>} sizes after each part */
async function soak(name, url) {
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  const until = performance.now() + minutes * 60_000;
  const progress = await reportProgress({ url }, { perSecond: Number(options.progress) });
  const ending = churn(url, {
    perSecond: Number(options['per-second']),
    kept: Number(options.kept),
    goOn: () => performance.now() < until,
  });
  const parts = [];
  let vacuums = 0;
  for (let part = 1; part <= PARTS; part += 1) {
    await sleep((minutes * 60_000) / PARTS);
    const now = await sizes(pool);
    parts.push(now.sizes);
    ({ vacuums } = now);
    say(`${name}, ${part} of ${PARTS}: queue ${figure(now.sizes.job_queue)} MB`);
  }
  const ended = await ending;
  await progress.stop();
  await pool.end();
  return { parts, vacuums, ended };
}

await runBenchmark(
  async () => {
    const postgres = await benchDatabase();
    const plain = await postgres.migrated('plain');
    const client = new pg.Client(plain);
    await client.connect();
    await client.query(RESET);
    await client.end();
    const [ours, theirs] = await Promise.all([
      soak('as it comes', postgres.url),
      soak("PostgreSQL's settings", plain),
    ]);
    const times = Array.from({ length: PARTS }, (_, part) => (minutes * (part + 1)) / PARTS);
    const text = [
      `${new Date().toISOString().slice(0, 10)}, ${machine()}.`,
      `${options['per-second']} jobs a second, of which the last ${Number(options.kept).toLocaleString('en')} are kept, and ${Number(options.progress).toLocaleString('en')} progress updates a second, in each of two databases: ${ours.ended.toLocaleString('en')} and ${theirs.ended.toLocaleString('en')} jobs ended.`,
      '',
      table([
        [
          'MB after',
          ...times.map((time) => `${figure(time)} min`),
          'last / first',
          "last, PostgreSQL's settings",
          'ours / theirs',
        ],
        ...Object.keys(ours.parts[0]).map((name) => {
          const grown = ours.parts.map((part) => part[name]);
          const other = theirs.parts.at(-1)[name];
          return [
            name,
            ...grown.map(figure),
            (grown.at(-1) / grown[0]).toFixed(2),
            figure(other),
            (grown.at(-1) / other).toFixed(2),
          ];
        }),
      ]),
      '',
      `Vacuums of the queue: ${ours.vacuums}; with PostgreSQL's settings ${theirs.vacuums}.`,
      '',
    ].join('\n');
    publish(text, options.markdown);
  },
  { minutes: minutes + 5 },
);
