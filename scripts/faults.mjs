// The fault loops at length: random faults (npm run test:faults -- --rounds 200 --seed 7), or the
// database restarted under load (npm run test:faults -- --only restart --rounds 20), or crashed right after
// claims and completions (npm run test:faults -- --only crash --rounds 50).
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

/** What can be run by `--only`, and how many rounds it makes by itself. */
const LOOPS = {
  random: { test: 'test/faults/faults.test.ts', rounds: '200' },
  restart: { test: 'test/faults/restarts.test.ts', rounds: '20' },
  crash: { test: 'test/faults/crashes.test.ts', rounds: '50' },
};

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: 'random' },
    rounds: { type: 'string' },
    seed: { type: 'string', default: String(Date.now() % 1e9) },
  },
});
const loop = LOOPS[values.only];
if (loop === undefined) {
  console.error(`--only is one of ${Object.keys(LOOPS).join(', ')}.`);
  process.exit(2);
}
const root = fileURLToPath(new URL('..', import.meta.url));
const child = spawn(
  process.execPath,
  ['node_modules/vitest/vitest.mjs', 'run', loop.test, '--disable-console-intercept'],
  {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      FAULT_ROUNDS: values.rounds ?? loop.rounds,
      FAULT_SEED: values.seed,
    },
  },
);
child.on('exit', (code) => {
  process.exitCode = code ?? 1;
});
