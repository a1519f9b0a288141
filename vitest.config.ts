import { defineConfig } from 'vitest/config';

/** Decorators and their metadata come from tsconfig.json: Vite reads it. */
export default defineConfig({
  test: {
    environment: 'node',
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    pool: 'forks',
    // One more than processors of a small machine: many tests wait for something to happen.
    maxWorkers: 3,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // One second, the default, is a guess about the machine: a condition is waited for.
    expect: { poll: { timeout: 30_000 } },
  },
});
