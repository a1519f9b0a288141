// A case by turns: the task, gstat, the task, gstat …, in one process each, and the ratios of the pairs.
import idw from '../../dist/tasks/geostatistics/idw/idw.task.js';
import kriging from '../../dist/tasks/geostatistics/kriging/kriging.task.js';
import variogram from '../../dist/tasks/geostatistics/variogram/variogram.task.js';
import { placesOf } from './cases.mjs';

const TASKS = { idw, kriging, variogram };
const context = {
  jobId: 'bench',
  attempt: 1,
  signal: new AbortController().signal,
  threads: 1,
  progress() {},
};

/** Estimates may differ from those of gstat by this much. */
const AGREEMENT = 1e-6;
/**
 * And this part of them by more: where the last neighbour and the next one are as far to nine digits, gstat
 * sometimes takes the further one.
 */
const OTHERS = 1e-4;

/**
 * @param {import('./cases.mjs').Case} given
 * @param {{runs: number, gstat: import('./peer.mjs').Gstat | undefined}} with_
 * @returns {Promise<{count: number, ours: number[], theirs: number[]}>} what was computed, and the
 *   seconds of each turn; none of theirs without gstat
 */
export async function turns({ task: name, parameters, call }, { runs, gstat }) {
  const task = TASKS[name];
  const parsed = task.parameters.parse(parameters);
  if (gstat) {
    const { coordinates, values } = parameters.source;
    await gstat.load(
      coordinates.map((place, i) => [...place, values[i]]),
      parameters.target ? placesOf(parameters.target) : [],
    );
  }
  const ours = [];
  const theirs = [];
  // The first run of ours warms the compiler up.
  let { found } = await timed(task, parsed);
  for (let run = 0; run < runs; run++) {
    const turn = await timed(task, parsed);
    ours.push(turn.seconds);
    found = turn.found;
    if (gstat) theirs.push(await gstat.ask(call));
  }
  if (gstat) compare(numbersOf(found), gstat);
  const { target, summary } = found;
  return { count: target ? summary.estimated : summary.pairs, ours, theirs };
}

async function timed(task, parsed) {
  const start = performance.now();
  const found = await task.run(parsed, context);
  return { found, seconds: (performance.now() - start) / 1000 };
}

function numbersOf({ target, lags }) {
  if (!target) return { values: lags.map(({ semivariance }) => semivariance) };
  const estimated = (numbers) => numbers?.filter((number) => number !== null);
  return { values: estimated(target.values), variances: estimated(target.variances) };
}

/** @throws Error when ours are not theirs: what is wrong may be as fast as it likes */
function compare({ values, variances }, gstat) {
  for (const [name, ours] of Object.entries({ values, variances })) {
    if (!ours) continue;
    const theirs = gstat.found(name);
    if (ours.length !== theirs.length) {
      throw new Error(`${ours.length} ${name}, but ${theirs.length} of gstat`);
    }
    const others = ours.filter((our, i) => !(Math.abs(our - theirs[i]) <= AGREEMENT)).length;
    if (others > ours.length * OTHERS) {
      throw new Error(`${others} of ${ours.length} ${name} are not gstat's`);
    }
  }
}
