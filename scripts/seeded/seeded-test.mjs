import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('../..', import.meta.url));

/**
 * @typedef {object} SeededTest
 * @property {string} command the npm script, to say how to repeat it
 * @property {string} test what vitest is to run
 * @property {string} size the option that says how much: `runs`, `seconds`
 * @property {string} unit of the size, for people
 * @property {string} usual the size when none is given
 * @property {number} most the largest size
 * @property {(size: number, seed: number) => Record<string, string>} environment what the test reads
 */

/**
 * Runs a test at a size of its own, from a seed that is given or new; says how to repeat it. The exit
 * code is the test's.
 * @param {SeededTest} options
 */
export function runSeeded({ command, test, size, unit, usual, most, environment }) {
  const { amount, seed } = choose(process.argv.slice(2), { size, usual, most });
  console.log(
    `${amount} ${unit} from seed ${seed}. To repeat: npm run ${command} -- --${size} ${amount} --seed ${seed}`,
  );
  const vitest = spawn(
    process.execPath,
    ['node_modules/vitest/vitest.mjs', 'run', test, '--disable-console-intercept'],
    { cwd: root, stdio: 'inherit', env: { ...process.env, ...environment(amount, seed) } },
  );
  vitest.on('close', (code) => {
    process.exitCode = code ?? 1;
  });
}

/** @param {string[]} args @param {Pick<SeededTest, 'size' | 'usual' | 'most'>} of */
function choose(args, { size, usual, most }) {
  try {
    const { values } = parseArgs({
      args,
      options: { [size]: { type: 'string', default: usual }, seed: { type: 'string' } },
    });
    return {
      amount: whole(`--${size}`, String(values[size]), 1, most),
      seed:
        values.seed === undefined
          ? randomInt(2 ** 31)
          : whole('--seed', String(values.seed), -(2 ** 31), 2 ** 31 - 1),
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
