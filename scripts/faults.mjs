// The fault loop at length: `npm run test:faults -- --rounds 200 --seed 7`.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '200' },
    seed: { type: 'string', default: String(Date.now() % 1e9) },
  },
});
const root = fileURLToPath(new URL('..', import.meta.url));
const child = spawn(
  process.execPath,
  ['node_modules/vitest/vitest.mjs', 'run', 'test/faults', '--disable-console-intercept'],
  {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, FAULT_ROUNDS: values.rounds, FAULT_SEED: values.seed },
  },
);
child.on('exit', (code) => {
  process.exitCode = code ?? 1;
});
