// The figures beside an empty table, the same beside a full one, and what progress does to a drain.
import pg from 'pg';
import { drain } from '../queues/drain.mjs';
import * as headframe from '../queues/headframe.mjs';
import { benchDatabase } from '../support/embedded.mjs';
import { median } from '../support/statistics.mjs';
import { claimMilliseconds } from './claims.mjs';
import { insertEnded } from './ended.jobs.mjs';
import { reportProgress } from './progress.load.mjs';
import { pollRate } from './polls.mjs';

/**
 * @returns {Promise<{rows: [string, number, number, number][], sizes: {name: string, megabytes: number}[]}>}
 *   rows of name, figure without, figure with, and a ratio above 1 where it got faster
 */
export async function growth({ ended, jobs, runs, say }) {
  const postgres = await benchDatabase();
  const place = await headframe.setUp({ postgres });
  const pool = new pg.Pool({ connectionString: postgres.url, max: 2 });
  const queue = await headframe.open(place, { organizations: 10 });
  const measure = async (title) => {
    const drains = { 1: [], 2: [] };
    const [claims, polls, slowed] = [[], [], []];
    for (let run = 1; run <= runs; run += 1) {
      for (const processes of [1, 2])
        drains[processes].push(await drainOnce(queue, place, jobs, processes));
      slowed.push(await drainBesideProgress(queue, place, jobs));
      claims.push(await claimMilliseconds(place, pool));
      polls.push(await pollRate(place, pool));
      say(`${title}, run ${run}: ${Math.round(drains[1].at(-1))} jobs/s`);
    }
    return [drains[1], drains[2], claims, polls, slowed].map(median);
  };
  // Without TRUNCATE the jobs of one run would be the ended jobs of the next: see `fill`.
  const without = await measure('without ended jobs');
  say(`inserts ${ended.toLocaleString('en')} ended jobs`);
  await insertEnded(pool, ended);
  queue.keepEnded();
  const beside = await measure('with ended jobs');
  const sizes = await sizesOf(pool);
  await queue.close();
  await pool.end();
  const names = [
    'drain, one worker, jobs/s',
    'drain, two workers, jobs/s',
    'claim of 100 jobs, ms',
    'status reads, 50 callers, per second',
    'drain, one worker, beside 1,000 progress updates a second, jobs/s',
  ];
  const rows = names.map((name, index) => {
    const [one, other] = [without[index], beside[index]];
    return [name, one, other, name.endsWith('ms') ? one / other : other / one];
  });
  const effect = (figures) => [figures[0], figures[4], figures[4] / figures[0]];
  rows.push(['progress: the same drain without it and with it, no ended jobs', ...effect(without)]);
  rows.push(['progress: the same drain without it and with it, ended jobs', ...effect(beside)]);
  return { rows, sizes };
}

const drainOnce = async (queue, place, jobs, processes) =>
  (await drain(queue, () => headframe.startWorker(place), { jobs, processes })).rate;

async function drainBesideProgress(queue, place, jobs) {
  const load = await reportProgress(place, { perSecond: 1_000 });
  try {
    return await drainOnce(queue, place, jobs, 1);
  } finally {
    await load.stop();
  }
}

async function sizesOf(pool) {
  const { rows } = await pool.query(
    `SELECT relname AS name, (pg_relation_size(oid) / 1e6)::float AS megabytes FROM pg_class
     WHERE relname LIKE 'job%' AND relkind IN ('r', 'i') ORDER BY relkind DESC, relname`,
  );
  return rows;
}
