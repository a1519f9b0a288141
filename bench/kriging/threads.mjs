// One thread and two, by turns, for a grid of a million blocks: the goal is 1.8 times the speed on two cores.
import kriging from '../../dist/tasks/geostatistics/kriging/kriging.task.js';
import { million } from './cases.mjs';

const context = (number) => ({
  jobId: 'bench',
  attempt: 1,
  signal: new AbortController().signal,
  threads: number,
  progress() {},
});

/**
 * @param {number} runs
 * @returns {Promise<{count: number, one: number[], two: number[]}>} seconds of each turn
 */
export async function threads(runs) {
  const parsed = kriging.parameters.parse(million());
  const found = {};
  const seconds = { one: [], two: [] };
  // The first turn of each warms up.
  for (let run = 0; run <= runs; run++) {
    for (const [name, number] of [
      ['one', 1],
      ['two', 2],
    ]) {
      const start = performance.now();
      found[name] = await kriging.run(parsed, context(number));
      if (run > 0) seconds[name].push((performance.now() - start) / 1000);
    }
  }
  const isSame = found.one.target.values.every((value, i) => value === found.two.target.values[i]);
  if (!isSame) throw new Error('Two threads find other values than one.');
  return { count: found.one.summary.estimated, ...seconds };
}
