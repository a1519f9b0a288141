// npm run test:fuzz -- [--seconds <n>] [--seed <n>]
// The fuzz test for longer (default five minutes), each time from another seed: it is printed, and the
// same seed makes the same requests again, but for ids and tokens.
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
const LONGEST_SECONDS = 86_400;

const { seconds, seed } = choose(process.argv.slice(2));
console.log(
  `${seconds} s from seed ${seed}. To repeat: npm run test:fuzz -- --seconds ${seconds} --seed ${seed}`,
);
const vitest = spawn(
  process.execPath,
  ['node_modules/vitest/vitest.mjs', 'run', 'test/fuzz', '--disable-console-intercept'],
  {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, FUZZ_SECONDS: String(seconds), FUZZ_SEED: String(seed) },
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
      options: { seconds: { type: 'string', default: '300' }, seed: { type: 'string' } },
    });
    return {
      seconds: whole('--seconds', values.seconds, 1, LONGEST_SECONDS),
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
