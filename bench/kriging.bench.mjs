// How fast the geostatistics tasks compute, without service, thread or database around them.
//
//   npm run setup && node bench/kriging.bench.mjs [grid]
//
// Prints one JSON line for each measurement: the best of five runs after a warm-up for Meuse;
// one run for the million-cell grid (only with the word `grid`), with the peak of memory so far.
import { readFileSync } from 'node:fs';
import idw from '../dist/tasks/geostatistics/idw/idw.task.js';
import kriging from '../dist/tasks/geostatistics/kriging/kriging.task.js';
import variogram from '../dist/tasks/geostatistics/variogram/variogram.task.js';

const context = { jobId: 'bench', attempt: 1, signal: new AbortController().signal, progress() {} };

function columns(name) {
  const text = readFileSync(new URL(`../examples/meuse/${name}`, import.meta.url), 'utf8');
  const [header, ...rows] = text
    .trim()
    .split('\n')
    .map((line) => line.replaceAll('"', '').split(','));
  return rows.map((row) => Object.fromEntries(row.map((cell, i) => [header[i], Number(cell)])));
}

const samples = columns('samples.csv');
const source = {
  coordinates: samples.map(({ x, y }) => [x, y]),
  values: samples.map(({ zinc }) => Math.log(zinc)),
};
const points = { coordinates: columns('grid.csv').map(({ x, y }) => [x, y]) };
const ball = (radius) => ({
  ellipsoid_ranges: { major: radius, semi_major: radius, minor: radius },
});
const model = {
  nugget: 0.05066,
  structures: [{ variogram_type: 'spherical', contribution: 0.59061, anisotropy: ball(896.97) }],
};
const neighborhood = { ellipsoid: ball(1e6), max_samples: 20 };

function measure(name, task, parameters, runs = 5) {
  let check = Infinity;
  let best = Infinity;
  let results;
  for (let run = 0; run < runs + (runs > 1 ? 1 : 0); run++) {
    const start = performance.now();
    const parsed = task.parameters.parse(parameters);
    const checked = performance.now();
    results = task.run(parsed, context);
    check = Math.min(check, checked - start);
    best = Math.min(best, performance.now() - checked);
  }
  const count = results.summary.points ?? results.summary.pairs;
  console.log(
    JSON.stringify({
      name,
      count,
      check_ms: Math.round(check * 10) / 10,
      run_ms: Math.round(best * 10) / 10,
      per_second: Math.round((count / best) * 1000),
      peak_rss_mb: Math.round(process.resourceUsage().maxRSS / 1024),
    }),
  );
}

measure('kriging meuse, ordinary, 20 samples', kriging, {
  source,
  target: points,
  variogram: model,
  neighborhood,
});
measure('idw meuse, 20 samples', idw, { source, target: points, neighborhood });
measure('variogram meuse (pairs)', variogram, { source, lag: 100, cutoff: 1500 });

if (process.argv.includes('grid')) {
  const grid = { origin: [178400, 329500], spacing: [3.4, 4.3], size: [1000, 1000] };
  measure(
    'kriging million cells',
    kriging,
    { source, target: { grid }, variogram: model, neighborhood },
    1,
  );
  measure('idw million cells', idw, { source, target: { grid }, neighborhood }, 1);
}
