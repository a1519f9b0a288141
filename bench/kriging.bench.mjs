// How fast the geostatistics tasks compute, without service or database around them, beside gstat.
//
//   npm run bench -- kriging [--points 100000] [--runs 5] [--only words] [--markdown file]
//
// gstat runs by turns with ours, one after the other, if Rscript and gstat are installed
// (apt-get install r-base-core r-cran-gstat); else its times are those of bench/kriging/gstat.json. A case
// whose estimates differ from gstat's by more than 1e-6 ends the benchmark.
import { parseArgs } from 'node:util';
import { casesOf } from './kriging/cases.mjs';
import { Gstat, gstatVersion } from './kriging/peer.mjs';
import { turns } from './kriging/turns.mjs';
import { runBenchmark } from './support/cleanup.mjs';
import { load, machine } from './support/machine.mjs';
import { publish, say } from './support/report.mjs';
import { median } from './support/statistics.mjs';
import { figure, table } from './support/table.mjs';

const { values: options } = parseArgs({
  options: {
    points: { type: 'string', default: '100000' },
    runs: { type: 'string', default: '5' },
    only: { type: 'string', default: '' },
    markdown: { type: 'string' },
  },
});

await runBenchmark(
  async () => {
    const points = Number(options.points);
    const runs = Number(options.runs);
    const version = gstatVersion();
    const gstat = version ? new Gstat() : undefined;
    const busy = load();
    const rows = [['', 'count', 'ours / s', 'gstat / s', 'ours / gstat', 'least', 'most', 'goal']];
    for (const given of casesOf(points)) {
      if (!given.name.includes(options.only)) continue;
      const { count, ours, theirs } = await turns(given, { runs, gstat });
      const ratios = theirs.map((seconds, turn) => seconds / ours[turn]);
      rows.push([
        given.name,
        count.toLocaleString('en'),
        figure(count / median(ours)),
        figure(count / median(theirs)),
        median(ratios).toFixed(2),
        Math.min(...ratios).toFixed(2),
        Math.max(...ratios).toFixed(2),
        String(given.goal),
      ]);
      say(rows.at(-1).join(' | '));
    }
    publish(
      [
        `${new Date().toISOString().slice(0, 10)}, ${machine()}, gstat ${version}, load ${busy} before.`,
        `One thread, medians of ${runs} turns.`,
        '',
        table(rows),
        '',
      ].join('\n'),
      options.markdown,
    );
  },
  { minutes: 60 },
);
