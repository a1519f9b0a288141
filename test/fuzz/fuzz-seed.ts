/** `npm run test:fuzz` sets these; without them a run is short, and the same each time. */
export const SEED = Number(process.env['FUZZ_SEED'] ?? 20_261_125);
const seconds = process.env['FUZZ_SECONDS'];

/** How long a property may be tried, at most so many times when nobody asked for a time. */
export function effort(runs: number) {
  return seconds === undefined
    ? { seed: SEED, numRuns: runs }
    : {
        seed: SEED,
        numRuns: Number.MAX_SAFE_INTEGER,
        interruptAfterTimeLimit: (Number(seconds) * 1000) / 8,
      };
}

/** The time limit of a test that goes on for its {@link effort}. */
export const TIMEOUT = (Number(seconds ?? 0) / 8 + 120) * 1000;
