// `npm run bench`: the benchmarks named, or those that are usual, one after the other. Options go to each
// that knows them: npm run bench -- queues http --markdown figures.md
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** The script of each part, and the options that it knows. */
const PARTS = {
  queues: {
    script: 'queues.bench.mjs',
    knows: ['quick', 'jobs', 'runs', 'adds', 'peers', 'markdown'],
  },
  http: { script: 'http.bench.mjs', knows: ['seconds', 'rounds', 'markdown'] },
  kriging: {
    script: 'kriging.bench.mjs',
    knows: ['points', 'runs', 'only', 'markdown', 'record'],
  },
  recovery: {
    script: 'recovery.bench.mjs',
    knows: ['kills', 'freezes', 'cancels', 'markdown'],
  },
  restart: { script: 'restart.bench.mjs', knows: [] },
  fairness: {
    script: 'fairness.bench.mjs',
    knows: ['whale', 'small', 'each', 'laps', 'newcomers', 'markdown'],
  },
  caps: { script: 'caps.bench.mjs', knows: ['claims', 'task-claims', 'claimers', 'markdown'] },
  'dead-entries': { script: 'dead-entries.bench.mjs', knows: ['jobs', 'held', 'markdown'] },
  auth: { script: 'auth.bench.mjs', knows: ['asks', 'markdown'] },
  memory: { script: 'memory.bench.mjs', knows: ['parallel'] },
  batch: { script: 'batch.bench.mjs', knows: ['rounds', 'markdown'] },
  'job-list': { script: 'job-list.bench.mjs', knows: ['jobs', 'asks', 'markdown'] },
  streams: { script: 'streams.bench.mjs', knows: ['streams', 'seconds', 'rounds', 'markdown'] },
  watch: { script: 'watch.bench.mjs', knows: ['jobs', 'seconds', 'rounds', 'only', 'markdown'] },
  'watch-shares': { script: 'watch-shares.bench.mjs', knows: ['jobs', 'markdown'] },
  growth: { script: 'growth.bench.mjs', knows: ['ended', 'jobs', 'runs', 'markdown'] },
  soak: {
    script: 'soak.bench.mjs',
    knows: ['minutes', 'per-second', 'progress', 'kept', 'markdown'],
  },
};
/** Options without a value. */
const FLAGS = ['quick'];
const BY_DEFAULT = ['queues', 'http', 'kriging', 'recovery'];

const { named, given } = parse(process.argv.slice(2));
for (const part of named.length > 0 ? named : BY_DEFAULT) {
  const { script, knows } = PARTS[part];
  const options = Object.entries(given).filter(([name]) => knows.includes(name));
  console.log(`\n# ${part}\n`);
  const code = await run(
    script,
    options.map(([name, value]) => (value === true ? `--${name}` : `--${name}=${value}`)),
  );
  if (code !== 0) {
    process.exitCode = code;
    break;
  }
}

/** @param {string[]} args */
function parse(args) {
  const result = { named: [], given: {} };
  for (let index = 0; index < args.length; index += 1) {
    const [name, value] = args[index].replace(/^--/, '').split('=');
    if (name in PARTS && !args[index].startsWith('--')) {
      result.named.push(name);
    } else if (Object.values(PARTS).some(({ knows }) => knows.includes(name))) {
      result.given[name] = FLAGS.includes(name) ? true : (value ?? args[(index += 1)]);
    } else {
      console.error(
        `There is no part or option ${args[index]}. Parts: ${Object.keys(PARTS).join(', ')}.`,
      );
      process.exit(2);
    }
  }
  return result;
}

/** Hands a signal on and waits: the part stops what it has started. @returns {Promise<number>} */
async function run(script, args) {
  const file = fileURLToPath(new URL(script, import.meta.url));
  const child = spawn(process.execPath, [file, ...args], { stdio: 'inherit' });
  const pass = (signal) => child.kill(signal);
  process.on('SIGINT', pass).on('SIGTERM', pass);
  const [code] = await once(child, 'exit');
  process.off('SIGINT', pass).off('SIGTERM', pass);
  return code ?? 1;
}
