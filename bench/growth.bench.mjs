// Whether ended jobs make the service slower: drains, claims, status reads and progress beside a
// table that is empty and one with millions of ended jobs. Takes minutes: it has a command of its own.
// node bench/growth.bench.mjs [--ended 5000000] [--jobs 50000] [--runs 3] [--markdown file]
import { parseArgs } from 'node:util';
import { growth } from './growth/growth.mjs';
import { runBenchmark } from './support/cleanup.mjs';
import { machine } from './support/machine.mjs';
import { publish, say } from './support/report.mjs';
import { figure, table } from './support/table.mjs';

const { values: options } = parseArgs({
  options: {
    ended: { type: 'string', default: '5000000' },
    jobs: { type: 'string', default: '50000' },
    runs: { type: 'string', default: '7' },
    markdown: { type: 'string' },
  },
});

await runBenchmark(
  async () => {
    const ended = Number(options.ended);
    const { rows, sizes, vacuum } = await growth({
      ended,
      jobs: Number(options.jobs),
      runs: Number(options.runs),
      say,
    });
    const text = [
      `${new Date().toISOString().slice(0, 10)}, ${machine()}, medians of ${options.runs} runs.`,
      '',
      table([
        ['', 'without', 'with', 'ratio of pairs'],
        ...rows.map(([name, without, with_, ratio]) => [
          name,
          figure(without),
          figure(with_),
          ratio.toFixed(2),
        ]),
      ]),
      '',
      table([
        [`Size with ${ended.toLocaleString('en')} ended jobs`, 'MB'],
        ...sizes.map(({ name, megabytes }) => [name, figure(megabytes)]),
      ]),
      '',
      table([
        ['Deleting and vacuum', 's'],
        ...vacuum.map(([what, seconds]) => [what, figure(seconds)]),
      ]),
      '',
    ].join('\n');
    publish(text, options.markdown);
  },
  { minutes: 45 },
);
