// npm run test:fuzz -- [--seconds <n>] [--seed <n>]
// The fuzz test for longer (default five minutes), each time from another seed: it is printed, and the
// same seed makes the same requests again, but for ids and tokens.
import { runSeeded } from './seeded/seeded-test.mjs';

runSeeded({
  command: 'test:fuzz',
  test: 'test/fuzz',
  size: 'seconds',
  unit: 's',
  usual: '300',
  most: 86_400,
  environment: (seconds, seed) => ({ FUZZ_SECONDS: String(seconds), FUZZ_SEED: String(seed) }),
});
