// Headframe beside the queues people would pick instead, in one run: drains, add to start, adds, and
// what bare SQL does on the same server.
// node bench/queues.bench.mjs [--quick] [--jobs 100000] [--runs 3] [--adds 300] [--markdown file]
// --quick: three minutes, for whoever changes something; 50,000 jobs, three runs, 60 adds.
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { addRate } from './queues/adds.mjs';
import { costsOf } from './support/costs.mjs';
import { drain } from './queues/drain.mjs';
import { floors } from './queues/floors.mjs';
import * as headframe from './queues/headframe.mjs';
import { httpToStart, selfToStart, storeToStart } from './queues/headframe-starts.mjs';
import { startPeer } from './queues/worker-handle.mjs';
import { runBenchmark } from './support/cleanup.mjs';
import { benchDatabase } from './support/embedded.mjs';
import { addToStart } from './queues/add-to-start.mjs';
import { load, machine } from './support/machine.mjs';
import { median, percentile } from './support/statistics.mjs';
import { publish, say } from './support/report.mjs';
import { figure, table } from './support/table.mjs';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    jobs: { type: 'string' },
    runs: { type: 'string', default: '3' },
    adds: { type: 'string' },
    peers: { type: 'string', default: 'graphile-worker,pg-boss,bullmq' },
    markdown: { type: 'string' },
  },
});
const jobs = Number(options.jobs ?? (options.quick ? 50_000 : 100_000));
const runs = Number(options.runs);
const idle = { count: Number(options.adds ?? (options.quick ? 60 : 300)), pauseMs: 20 };
const ADDS = { callers: 16, seconds: 2 };

/** @type {Record<string, Record<string, string | number | null>>} row → column → what was measured */
const rows = {};
/** Ratios of drains that were taken one after the other: what, median, least, most. */
const pairs = [];
const note = (row, column, value) => {
  (rows[row] ??= {})[column] = value;
};

async function openPeers(postgres) {
  const names = options.peers.split(',').filter((name) => name !== '');
  return Promise.all(
    names.map(async (name) => {
      const module = new URL(`queues/${name}.mjs`, import.meta.url).href;
      const system = await import(module);
      if (system.missing) return { system };
      const place = await system.setUp({ postgres });
      return {
        system,
        place,
        start: () => startPeer(module, place),
        queue: await system.open(place),
      };
    }),
  );
}

/** Each run takes all systems once, the first by turns, so that a ratio is of two that ran side by side. */
async function measureDrains(contestants, costs) {
  for (const processes of [1, 2]) {
    const measured = new Map(contestants.map((one) => [one, []]));
    for (let run = 1; run <= runs; run += 1) {
      const inTurn = run % 2 === 1 ? contestants : contestants.toReversed();
      for (const contestant of inTurn) {
        const { column, queue, start, besidePostgres } = contestant;
        const drained = await drain(queue, start, {
          jobs,
          processes,
          costs: besidePostgres ? costs : undefined,
        });
        measured.get(contestant).push(drained);
        say(`drain ${run}, ${processes} workers, ${column}: ${figure(drained.rate)}/s`);
      }
    }
    noteDrains(processes === 1 ? 'one worker' : 'two workers', measured);
  }
}

function noteDrains(workers, measured) {
  for (const [{ column, variant = '' }, drains] of measured) {
    const row = (what, unit) => `${what}, ${workers}${variant}, ${unit}`;
    note(row('drain', 'jobs/s'), column, median(drains.map(({ rate }) => rate)));
    const costs = drains.flatMap((one) => one.costs ?? []);
    if (costs.length > 0) {
      const of = (name) => median(costs.map((cost) => cost[name]));
      note(row('processor time of the workers', 'µs a job'), column, of('own'));
      note(row('processor time of PostgreSQL', 'µs a job'), column, of('database'));
      note(row('log of PostgreSQL', 'bytes a job'), column, of('wal'));
    }
    if (drains[0].memory !== null) {
      note(row('peak memory of a worker', 'MB'), column, median(drains.map((one) => one.memory)));
    }
  }
  const ours = [...measured].find(([{ column, variant }]) => column === headframe.name && !variant);
  for (const [{ column, variant = '' }, drains] of measured) {
    if (drains === ours[1]) continue;
    const ratios = drains.map(({ rate }, run) => ours[1][run].rate / rate);
    pairs.push([
      `${workers}: ${column}${variant}`,
      median(ratios).toFixed(2),
      Math.min(...ratios).toFixed(2),
      Math.max(...ratios).toFixed(2),
    ]);
  }
}

async function measureAdds(contestants) {
  const measured = new Map(contestants.map((one) => [one, []]));
  for (let run = 1; run <= runs; run += 1) {
    for (const [{ queue }, rates] of measured) rates.push(await addRate(queue, ADDS));
  }
  for (const [{ column }, rates] of measured) {
    note(`single adds, ${ADDS.callers} callers, per second`, column, median(rates));
  }
}

function noteWaits(row, column, waits) {
  say(`${row}, ${column}: p50 ${figure(percentile(waits, 50))} ms`);
  note(`${row}, p50, ms`, column, percentile(waits, 50));
  note(`${row}, p99, ms`, column, percentile(waits, 99));
}

async function measureStarts(peers, ours, place) {
  const [same, across] = ['add to start, same process', 'add to start, across processes'];
  for (const { system, start, queue } of peers) {
    await queue.fill(0);
    const alone = await start();
    const { waits } = await alone.tell('addToSelf', idle);
    await alone.stop();
    noteWaits(same, system.name, waits);
    const worker = await start();
    const started = new Map();
    worker.onStart = (key, at) => started.get(key)?.(at);
    await worker.tell('tellStarts');
    await sleep(500);
    let keys = 0;
    const add = () => {
      const key = String((keys += 1));
      const begun = new Promise((resolve) => started.set(key, resolve));
      return { added: queue.add(key, { prompt: true }), started: begun };
    };
    noteWaits(across, system.name, await addToStart(add, idle));
    await worker.stop();
  }
  // What a drain that was cut off has left would not be idle.
  await ours.fill(0);
  const column = headframe.name;
  noteWaits(same, column, await selfToStart(place, idle));
  noteWaits(across, column, await storeToStart(place, idle));
  noteWaits(
    'HTTP request to start, same process',
    column,
    await httpToStart(place, { across: false, ...idle }),
  );
  noteWaits(
    'HTTP request to start, across processes',
    column,
    await httpToStart(place, { across: true, ...idle }),
  );
}

function report(peers, bare) {
  const columns = [headframe.name, ...peers.map(({ system }) => system.name)];
  const cell = (row, column) => {
    const value = rows[row][column];
    const missing = peers.find(({ system }) => system.name === column)?.system.missing;
    return typeof value === 'number' ? figure(value) : (missing ?? '');
  };
  const ratio = (row) => {
    const ours = rows[row][headframe.name];
    const theirs = columns.slice(1).flatMap((column) => rows[row][column] ?? []);
    if (ours === undefined || theirs.length === 0) return '';
    const less = /, (?:ms|MB|µs a job|bytes a job)$/.test(row);
    return (ours / (less ? Math.min(...theirs) : Math.max(...theirs))).toFixed(2);
  };
  return [
    `${new Date().toISOString().slice(0, 10)}, ${machine()}, PostgreSQL 18 (embedded, fsync on), load ${loadBefore} before.`,
    `${jobs.toLocaleString('en')} jobs a drain, medians of ${runs} runs, systems in turn; ${idle.count} adds while idle.`,
    '',
    table([
      ['', ...columns, 'Headframe / best peer'],
      ...Object.keys(rows).map((row) => [
        row,
        ...columns.map((column) => cell(row, column)),
        ratio(row),
      ]),
    ]),
    '',
    table([['Headframe / other, drains of the same run', 'median', 'least', 'most'], ...pairs]),
    '',
    table([
      ['Bare SQL in the same run', 'rows/s'],
      ...Object.entries(bare).map(([name, rate]) => [name, figure(rate)]),
    ]),
    '',
    ...[headframe, ...peers.map(({ system }) => system)].map(
      ({ name, version, settings }) => `- ${name} ${version}: ${settings}`,
    ),
    '',
  ].join('\n');
}

const loadBefore = load();
await runBenchmark(
  async () => {
    const postgres = await benchDatabase();
    const peers = await openPeers(postgres);
    const present = peers.filter(({ queue }) => queue !== undefined);
    const place = await headframe.setUp({ postgres });
    const start = () => headframe.startWorker(place);
    const costs = await costsOf(postgres.url);
    const contestants = [
      {
        column: headframe.name,
        queue: await headframe.open(place),
        start,
        besidePostgres: true,
      },
      ...present.map(({ system, queue, start: startOne }) => ({
        column: system.name,
        queue,
        start: startOne,
        besidePostgres: system.onPostgres !== false,
      })),
    ];
    const many = {
      column: headframe.name,
      variant: ', jobs of 10 organizations',
      queue: await headframe.open(place, { organizations: 10 }),
      start,
      besidePostgres: true,
    };
    const bare = await floors({ postgres });
    await measureDrains([...contestants, many], costs);
    await costs.close();
    await measureStarts(present, contestants[0].queue, place);
    await measureAdds(contestants);
    const text = report(peers, bare);
    publish(text, options.markdown);
    await Promise.all([...contestants, many].map(({ queue }) => queue.close()));
  },
  { minutes: 30 },
);
