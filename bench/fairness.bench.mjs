// Whether thousands of organizations with a few jobs feel one that has queued very many: its share, the
// wait of newcomers, and what a claim takes beside a backlog of half a million.
// node bench/fairness.bench.mjs [--whale 250000] [--small 4999] [--each 50] [--laps 1]
//   [--newcomers 200] [--markdown file]
import { parseArgs } from 'node:util';
import pg from 'pg';
import { fillBacklog } from './fairness/backlog.mjs';
import { shares } from './fairness/shares.mjs';
import { waits } from './fairness/waits.mjs';
import { runBenchmark } from './support/cleanup.mjs';
import { benchDatabase } from './support/embedded.mjs';
import { load, machine } from './support/machine.mjs';
import { percentile } from './support/statistics.mjs';
import { publish, say } from './support/report.mjs';
import { figure, table } from './support/table.mjs';

const { values: options } = parseArgs({
  options: {
    whale: { type: 'string', default: '250000' },
    small: { type: 'string', default: '4999' },
    each: { type: 'string', default: '50' },
    laps: { type: 'string', default: '1' },
    newcomers: { type: 'string', default: '200' },
    markdown: { type: 'string' },
  },
});
const size = {
  whale: Number(options.whale),
  small: Number(options.small),
  each: Number(options.each),
};
const organizations = size.small + 1;
/** Claimers at once, and jobs of a claim. */
const WAYS = [
  { claimers: 1, limit: 1 },
  { claimers: 1, limit: 16 },
  { claimers: 4, limit: 16 },
];
/** Jobs that one claimer starts while it goes round once: a turn is a quarter of a claim. */
const lapOf = ({ limit }) => organizations * Math.max(1, Math.floor(limit / 4));
/** All the laps together must leave every organization some jobs: else those that have any get more. */
const needed = WAYS.reduce((sum, way) => sum + way.claimers * lapOf(way) * Number(options.laps), 0);
if (size.each * organizations < 2 * needed) {
  console.error(`--each is too small for ${options.laps} laps.`);
  process.exit(2);
}

await runBenchmark(
  async () => {
    const busy = load();
    const { url } = await benchDatabase();
    const pool = new pg.Pool({ connectionString: url, max: 2 });
    pool.on('error', () => {});
    const whale = await fillBacklog(pool, size);
    say('the backlog is queued');
    const rows = [];
    for (const way of WAYS) {
      const jobs = way.claimers * lapOf(way) * Number(options.laps);
      const figures = await shares(url, whale, { ...way, jobs, organizations });
      say(`${way.claimers} × ${way.limit}: ${figure(figures.rate)} jobs/s`);
      rows.push([
        `${way.claimers}, ${way.limit}`,
        figure(figures.share),
        figures.served.toLocaleString('en'),
        figure(figures.p50),
        figure(figures.p99),
        figure(figures.rate),
      ]);
    }
    const way = WAYS.at(-1);
    const newcomers = Number(options.newcomers);
    const lap = way.claimers * lapOf(way);
    const most = 2 * lap;
    const waited = await waits(url, pool, { ...way, newcomers, most });
    await pool.end();
    const jobsOf = (percent) => percentile(waited.jobs, percent).toLocaleString('en');
    const msOf = (percent) => figure(percentile(waited.milliseconds, percent));
    const text = [
      `${new Date().toISOString().slice(0, 10)}, ${machine()}, load ${busy} before.`,
      `One organization with ${size.whale.toLocaleString('en')} jobs, ${size.small.toLocaleString('en')} with ${size.each} each.`,
      '',
      table([
        [
          'claimers, jobs a claim',
          'large one / equal part',
          'organizations served',
          'claim p50, ms',
          'p99, ms',
          'jobs/s',
        ],
        ...rows,
      ]),
      '',
      table([
        [
          `Wait of ${newcomers} newcomers with one job, ${way.claimers} claimers`,
          'p50',
          'p99',
          'longest',
        ],
        ['jobs of others started meanwhile', jobsOf(50), jobsOf(99), jobsOf(100)],
        ['a lap of each claimer, in jobs', '', '', lap.toLocaleString('en')],
        ['milliseconds', msOf(50), msOf(99), msOf(100)],
        ['not started in two laps of each claimer', '', '', String(waited.missing)],
      ]),
      '',
    ].join('\n');
    publish(text, options.markdown);
  },
  { minutes: 15 },
);
