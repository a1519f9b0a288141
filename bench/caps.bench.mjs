// Whether caps are exact when many workers claim at once: overruns must be 0, and the exit code says so.
// node bench/caps.bench.mjs [--claims 100000] [--task-claims 10000] [--claimers 16]
//   [--markdown file]
import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { overruns } from './caps/overruns.mjs';
import { runBenchmark } from './support/cleanup.mjs';
import { claimAndEnd } from './support/claimers.mjs';
import { benchDatabase } from './support/embedded.mjs';
import { load, machine } from './support/machine.mjs';
import { JOB_TABLES, queueJobs, TASK } from './support/queue-jobs.mjs';
import { publish, say } from './support/report.mjs';
import { figure, table } from './support/table.mjs';

const { values: options } = parseArgs({
  options: {
    claims: { type: 'string', default: '100000' },
    // Fewer: claims under a task's cap go one after the other.
    'task-claims': { type: 'string', default: '10000' },
    claimers: { type: 'string', default: '16' },
    markdown: { type: 'string' },
  },
});
const claimers = Number(options.claimers);
/** Few organizations for many claimers, so that each of them is often at its cap. */
const ORGANIZATIONS = 12;
const JOBS_A_CLAIM = 4;
const ORGANIZATION_CAP = 2;
const TASK_CAP = 6;

async function measure(pool, url, title, { claims, by, cap, limits }) {
  await pool.query(`TRUNCATE ${JOB_TABLES}, organization_limits, task_limits`);
  // Not so many more than will be claimed that an organization runs out of jobs.
  await queueJobs(
    pool,
    Array.from({ length: ORGANIZATIONS }, () => randomUUID()),
    Math.ceil(claims * 1.3),
  );
  await limits();
  await pool.query(`VACUUM ANALYZE ${JOB_TABLES}`);
  let [total, seen] = [0, 0];
  const from = performance.now();
  await claimAndEnd(url, {
    claimers,
    limit: JOBS_A_CLAIM,
    tasks: [TASK],
    goOn: () => total < claims,
    // What runs is counted in a snapshot too: it sees jobs until their end is committed.
    async onClaim(jobs) {
      total += jobs.length;
      if (jobs.length === 0) return;
      const { rows } = await pool.query({
        name: `most-running-${by}`,
        text: `SELECT max(count)::int AS most FROM (
          SELECT count(*) FROM job_leases GROUP BY ${by}) running`,
      });
      if (rows[0].most > cap) seen += 1;
    },
  });
  const rate = total / ((performance.now() - from) / 1_000);
  const found = await overruns(pool, by, cap);
  if (found.overruns + seen > 0) process.exitCode = 1;
  say(`${title}: ${found.overruns} and ${seen} overruns in ${total} claims`);
  return [
    title,
    total.toLocaleString('en'),
    String(found.most),
    String(found.overruns),
    String(seen),
    figure(rate),
  ];
}

await runBenchmark(
  async () => {
    const busy = load();
    const { url } = await benchDatabase();
    const pool = new pg.Pool({ connectionString: url, max: 4, options: '-c enable_seqscan=off' });
    pool.on('error', () => {});
    const organizations = await measure(pool, url, `each organization ${ORGANIZATION_CAP}`, {
      claims: Number(options.claims),
      by: 'org_id',
      cap: ORGANIZATION_CAP,
      limits: () =>
        pool.query(
          'INSERT INTO organization_limits (org_id, max_running) SELECT DISTINCT org_id, $1::int FROM job_queue',
          [ORGANIZATION_CAP],
        ),
    });
    const task = await measure(pool, url, `the task ${TASK_CAP}`, {
      claims: Number(options['task-claims']),
      by: 'task',
      cap: TASK_CAP,
      limits: () =>
        pool.query('INSERT INTO task_limits VALUES ($1, $2, $3)', [
          TASK.topic,
          TASK.name,
          TASK_CAP,
        ]),
    });
    await pool.end();
    const text = [
      `${new Date().toISOString().slice(0, 10)}, ${machine()}, load ${busy} before.`,
      `${claimers} claimers, ${JOBS_A_CLAIM} jobs a claim at most, ${ORGANIZATIONS} organizations.`,
      '',
      table([
        ['cap', 'jobs claimed', 'most at once', 'overruns by times', 'seen in snapshots', 'jobs/s'],
        organizations,
        task,
      ]),
      '',
    ].join('\n');
    publish(text, options.markdown);
  },
  { minutes: 20 },
);
