// npm run test:model -- [--runs <n>] [--seed <n>]
// The model test with many runs (default 10,000), each time from another seed: it is printed, and the
// same seed makes the same sequences again.
import { runSeeded } from './seeded/seeded-test.mjs';

runSeeded({
  command: 'test:model',
  test: 'test/jobs/model.test.ts',
  size: 'runs',
  unit: 'runs',
  usual: '10000',
  most: 1_000_000,
  environment: (runs, seed) => ({ MODEL_RUNS: String(runs), MODEL_SEED: String(seed) }),
});
