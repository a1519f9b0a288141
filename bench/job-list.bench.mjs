// What a page of a list takes at the store, for every filter and for combinations of them, among millions of
// jobs: of the organization that has most of them, of one among a thousand, and of one with a single job.
// node bench/job-list.bench.mjs [--jobs 5000000] [--asks 60] [--markdown file]
import { parseArgs } from 'node:util';
import pg from 'pg';
import { ANY_JOB } from '../dist/jobs/list/search/job-filter.js';
import { JobSearch } from '../dist/jobs/list/search/job-search.js';
import { JobListStore } from '../dist/jobs/list/job-list.store.js';
import { JobSummaryStore } from '../dist/jobs/list/job-summary.store.js';
import { Database } from '../dist/platform/database/database.js';
import { insertJobs, LARGE, SINGLE } from './job-list/many-jobs.mjs';
import { atEnd, runBenchmark } from './support/cleanup.mjs';
import { benchDatabase } from './support/embedded.mjs';
import { machine } from './support/machine.mjs';
import { publish, say } from './support/report.mjs';
import { figure, table } from './support/table.mjs';

const { values: options } = parseArgs({
  options: {
    jobs: { type: 'string', default: '5000000' },
    asks: { type: 'string', default: '60' },
    markdown: { type: 'string' },
  },
});

const ORGANIZATIONS = {
  'of most': LARGE,
  'of some': '00000000-0000-4000-8000-000000000017',
  'of one': SINGLE,
};
const PAGE = 50;

const days = (count) => new Date(Date.now() - count * 86_400_000);
const of = (task) => ({ topic: 'geostatistics', task });
const failed = { statuses: ['failed'] };
const project = { labels: [['project', 'p7']] };
const batch = { labels: [['batch', '4000']] };
const ongoing = { statuses: ['requested', 'in progress', 'canceling'] };

const FILTERS = {
  none: {},
  'status requested': { statuses: ['requested'] },
  'status in progress': { statuses: ['in progress'] },
  'status succeeded': { statuses: ['succeeded'] },
  'status failed': failed,
  'status canceled': { statuses: ['canceled'] },
  topic: { topic: 'geostatistics' },
  'topic, task': of('task-3'),
  'label, frequent': project,
  'label, rare': batch,
  created_after: { createdAfter: days(1) },
  created_before: { createdBefore: days(100) },
  ended_after: { endedAfter: days(0.04) },
  ended_before: { endedBefore: days(100) },
  exclude_status: { statuses: ['requested', 'in progress', 'canceling', 'failed', 'canceled'] },
  exclude_label: { excludedLabels: project.labels },
  exclude_task: { excludedTasks: [['geostatistics', 'task-3']] },
  'q, an id': { idPrefix: '01a21be066c0' },
  'q, words': { words: ['singular'] },
  'status failed, task': { ...failed, ...of('task-3') },
  'status canceled, a task that always fails': { statuses: ['canceled'], ...of('task-broken') },
  'status failed, label': { ...failed, ...project },
  'status failed, created_after': { ...failed, createdAfter: days(1) },
  'status failed, ended in a day': { ...failed, endedAfter: days(30), endedBefore: days(29) },
  'ongoing, task': { ...ongoing, ...of('task-3') },
  'ongoing, label': { ...ongoing, ...project },
  'task, label': { ...of('task-3'), ...project },
  'task, created in a day': { ...of('task-3'), createdAfter: days(30), createdBefore: days(29) },
  'succeeded, task, label': { statuses: ['succeeded'], ...of('task-3'), ...batch },
  'failed, task, words': { ...failed, ...of('task-3'), words: ['singular'] },
};

/** @param {number[]} times @param {number} part */
const quantile = (times, part) =>
  times.toSorted((one, other) => one - other)[Math.ceil(times.length * part) - 1];

await runBenchmark(
  async () => {
    const { url } = await benchDatabase();
    const pool = new pg.Pool({ connectionString: url, max: 2 });
    atEnd(() => pool.end());
    const count = Number(options.jobs);
    say(`inserts ${count.toLocaleString('en')} jobs`);
    await insertJobs(pool, count);
    const database = new Database({ url, poolSize: 2 });
    atEnd(() => database.onApplicationShutdown());
    const search = new JobSearch(database);
    const list = new JobListStore(search);
    const summary = new JobSummaryStore(search, database);
    const rows = [];
    const measure = async (name, ask) => {
      const row = [name];
      for (const org of Object.values(ORGANIZATIONS)) {
        const times = [];
        for (let asked = 0; asked < Number(options.asks); asked += 1) {
          const began = performance.now();
          await ask(org);
          times.push(performance.now() - began);
        }
        row.push(quantile(times, 0.5), quantile(times, 0.95));
      }
      say(row.map((cell) => (typeof cell === 'number' ? cell.toFixed(1) : cell)).join('  '));
      rows.push(row);
    };
    for (const [name, filter] of Object.entries(FILTERS)) {
      await measure(name, (org) => list.page(org, { ...ANY_JOB, ...filter }, null, PAGE));
    }
    await measure('none, the hundredth page', async (org) => {
      const { next } = await search.find(org, ANY_JOB, {
        before: null,
        most: 5_000,
        examine: 5_000,
        columns: 's.topic',
      });
      const began = performance.now();
      await list.page(org, ANY_JOB, next, PAGE);
      return performance.now() - began;
    });
    await measure('summary of all', (org) => summary.of(org, ANY_JOB));
    await measure('summary of failures', (org) => summary.of(org, { ...ANY_JOB, ...failed }));
    const heads = Object.keys(ORGANIZATIONS).flatMap((name) => [`${name}, p50`, `${name}, p95`]);
    const text = [
      `${new Date().toISOString().slice(0, 10)}, ${machine()}. ${count.toLocaleString('en')} jobs, ${options.asks} asks each, in milliseconds.`,
      '',
      table([['', ...heads], ...rows.map(([name, ...times]) => [name, ...times.map(figure)])]),
      '',
    ].join('\n');
    publish(text, options.markdown);
  },
  { minutes: 30 },
);
