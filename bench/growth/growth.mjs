// The figures beside an empty table and beside a full one, by turns, and what progress does to a drain.
import pg from 'pg';
import { drain } from '../queues/drain.mjs';
import * as headframe from '../queues/headframe.mjs';
import { benchDatabase } from '../support/embedded.mjs';
import { median } from '../support/statistics.mjs';
import { claimMilliseconds } from './claims.mjs';
import { insertEnded, thinOut } from './ended-jobs.mjs';
import { reportProgress } from './progress-load.mjs';
import { pollRate } from './polls.mjs';

/** What is measured, and how, of one database. */
const MEASURES = {
  'drain, one worker, jobs/s': ({ queue, place }, jobs) => drainOnce(queue, place, jobs, 1),
  'drain, one worker, beside 1,000 progress updates a second, jobs/s': ({ queue, place }, jobs) =>
    drainBesideProgress(queue, place, jobs),
  'drain, two workers, jobs/s': ({ queue, place }, jobs) => drainOnce(queue, place, jobs, 2),
  'claim of 100 jobs, ms': ({ place, pool }) => claimMilliseconds(place, pool),
  'status reads, 50 callers, per second': ({ place, pool }) => pollRate(place, pool),
};
const [ALONE, BESIDE_PROGRESS] = Object.keys(MEASURES);

/**
 * Two databases on one server, one of them with ended jobs. Each measure is taken of both before the
 * next, the first by turns: the machine's own speed changes within minutes.
 * @returns {Promise<{rows: [string, number, number, number][], sizes: {name: string, megabytes: number}[],
 *   vacuum: [string, number][]}>}
 *   rows of name, figure without, figure with, and a ratio above 1 where it got faster
 */
export async function growth({ ended, jobs, runs, say }) {
  const postgres = await benchDatabase();
  const full = await postgres.migrated('grown');
  const sides = [await openSide(postgres.url), await openSide(full)];
  say(`inserts ${ended.toLocaleString('en')} ended jobs`);
  await insertEnded(sides[1].pool, ended);
  const figures = sides.map(() =>
    Object.fromEntries(Object.keys(MEASURES).map((name) => [name, []])),
  );
  for (let run = 1; run <= runs; run += 1) {
    for (const [name, measure] of Object.entries(MEASURES)) {
      for (const side of run % 2 === 1 ? [0, 1] : [1, 0]) {
        figures[side][name].push(await measure(sides[side], jobs));
      }
      const [without, beside] = figures.map((of) => of[name].at(-1));
      say(`run ${run}, ${name}: ${without.toPrecision(3)} without, ${beside.toPrecision(3)} with`);
    }
  }
  const sizes = await sizesOf(sides[1].pool);
  const vacuum = await thinOut(sides[1].pool, ended);
  await Promise.all(sides.flatMap(({ queue, pool }) => [queue.close(), pool.end()]));
  const row = (name, one, other) => [
    name,
    median(one),
    median(other),
    // Of each pair, taken one right after the other, and not of the medians.
    median(
      one.map((figure, run) => (name.endsWith('ms') ? figure / other[run] : other[run] / figure)),
    ),
  ];
  const [without, beside] = figures;
  const rows = Object.keys(MEASURES).map((name) => row(name, without[name], beside[name]));
  const effect = (where, of) =>
    row(
      `progress: the same drain without it and with it, ${where}`,
      of[ALONE],
      of[BESIDE_PROGRESS],
    );
  rows.push(effect('no ended jobs', without), effect('ended jobs', beside));
  return { rows, sizes, vacuum };
}

async function openSide(url) {
  const place = { url };
  const queue = await headframe.open(place, { organizations: 10 });
  // Both sides delete what the run before has left: TRUNCATE would make one of them new each time.
  queue.keepEnded();
  return { place, queue, pool: new pg.Pool({ connectionString: url, max: 2 }) };
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
