// npm run test:model -- [--runs <n>] [--seed <n>]
// The model test with many runs (default 10,000), each time from another seed: it is printed, and the
// same seed makes the same sequences again.
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
const MOST = 1_000_000;

const { runs, seed } = choose(process.argv.slice(2));
console.log(
  `${runs} runs from seed ${seed}. To repeat: npm run test:model -- --runs ${runs} --seed ${seed}`,
);
const vitest = spawn(
  process.execPath,
  [
    'node_modules/vitest/vitest.mjs',
    'run',
    'test/jobs/model.test.ts',
    '--disable-console-intercept',
  ],
  {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, MODEL_RUNS: String(runs), MODEL_SEED: String(seed) },
  },
);
vitest.on('close', (code) => {
  process.exitCode = code ?? 1;
});

/** @param {string[]} args */
function choose(args) {
  try {
    const { values } = parseArgs({
      args,
      options: { runs: { type: 'string', default: '10000' }, seed: { type: 'string' } },
    });
    return {
      runs: whole('--runs', values.runs, 1, MOST),
      seed:
        values.seed === undefined
          ? randomInt(2 ** 31)
          : whole('--seed', values.seed, -(2 ** 31), 2 ** 31 - 1),
    };
  } catch (error) {
    console.error(/** @type {Error} */ (error).message);
    return process.exit(2);
  }
}

/** @param {string} name @param {string} text @param {number} min @param {number} max */
function whole(name, text, min, max) {
  const number = Number(text);
  if (!Number.isInteger(number) || number < min || number > max || text.trim() === '') {
    throw new Error(`${name} must be a whole number from ${min} to ${max}.`);
  }
  return number;
}
