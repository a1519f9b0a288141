// How fast the geostatistics tasks compute, without service or database around them, beside gstat.
//
//   npm run bench -- kriging [--points 100000] [--runs 5] [--only words] [--markdown file] [--record gstat.json]
//
// gstat runs by turns with ours, one after the other, if Rscript and gstat are installed
// (apt-get install r-base-core r-cran-gstat); else its times are those of bench/kriging/gstat.json, which
// --record writes: ratios to them say little on another machine. A case whose estimates differ from gstat's
// by more than 1e-6 ends the benchmark.
import { readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { parseArgs } from 'node:util';
import { casesOf } from './kriging/cases.mjs';
import { Gstat, gstatVersion } from './kriging/peer.mjs';
import { threads } from './kriging/threads.mjs';
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
    record: { type: 'string' },
  },
});
const RECORDED = new URL('kriging/gstat.json', import.meta.url);

await runBenchmark(
  async () => {
    const points = Number(options.points);
    const runs = Number(options.runs);
    const version = gstatVersion();
    const gstat = version ? new Gstat() : undefined;
    const recorded = gstat ? undefined : JSON.parse(readFileSync(RECORDED, 'utf8'));
    const busy = load();
    const perSecond = {};
    const rows = [['', 'count', 'ours / s', 'gstat / s', 'ours / gstat', 'least', 'most', 'goal']];
    for (const given of casesOf(points)) {
      if (!given.name.includes(options.only)) continue;
      const { count, ours, theirs } = await turns(given, { runs, gstat });
      const peers = gstat ? theirs : ours.map(() => count / recorded.perSecond[given.name]);
      const ratios = peers.map((peer, turn) => peer / ours[turn]);
      perSecond[given.name] = Math.round(count / median(peers));
      rows.push([
        given.name,
        count.toLocaleString('en'),
        figure(count / median(ours)),
        figure(count / median(peers)),
        median(ratios).toFixed(2),
        Math.min(...ratios).toFixed(2),
        Math.max(...ratios).toFixed(2),
        String(given.goal),
      ]);
      say(rows.at(-1).join(' | '));
    }
    const shared = options.only ? [] : await sharedRows(runs);
    const peer = gstat
      ? `gstat ${version} by turns`
      : `gstat ${recorded.version} as recorded on ${recorded.processor}`;
    publish(
      [
        `${new Date().toISOString().slice(0, 10)}, ${machine()}, load ${busy} before, ${peer}.`,
        `One thread, medians of ${runs} turns.`,
        '',
        table(rows),
        '',
        ...shared,
      ].join('\n'),
      options.markdown,
    );
    if (options.record && gstat) {
      const record = { processor: os.cpus()[0].model.trim(), version, perSecond };
      writeFileSync(options.record, `${JSON.stringify(record, null, 2)}\n`);
    }
  },
  { minutes: 60 },
);

/** @returns {Promise<string[]>} the table of one thread and two */
async function sharedRows(runs) {
  const { count, one, two } = await threads(runs);
  const ratios = one.map((seconds, turn) => seconds / two[turn]);
  return [
    table([
      ['', 'count', 'one thread / s', 'two / s', 'two / one', 'least', 'most', 'goal'],
      [
        'grid of blocks, 155 samples, 2-D',
        count.toLocaleString('en'),
        figure(count / median(one)),
        figure(count / median(two)),
        median(ratios).toFixed(2),
        Math.min(...ratios).toFixed(2),
        Math.max(...ratios).toFixed(2),
        '1.8',
      ],
    ]),
    '',
  ];
}
