import { expect, it } from 'vitest';
import { runRestartLoop } from './restart-loop.js';

/** `npm run test:faults -- --only restart` does it twenty times. */
const ROUNDS = Number(process.env.FAULT_ROUNDS ?? 2);
const SEED = Number(process.env.FAULT_SEED ?? 20261125);
const TOLD = process.env.FAULT_ROUNDS !== undefined;

it(
  `the database is restarted under load, and jobs end again as before (${ROUNDS} times, seed ${SEED})`,
  async () => {
    const report = await runRestartLoop(
      ROUNDS,
      SEED,
      TOLD ? (line) => console.log(line) : undefined,
    );
    if (TOLD) {
      const longest = Math.max(...report.restarts.map(({ backMs }) => backMs));
      console.log(
        `${report.accepted} jobs accepted, ended: ${JSON.stringify(report.ended)}; ` +
          `throughput was back after ${(longest / 1_000).toFixed(2)} s at the longest`,
      );
    }
    expect(report.violations).toEqual([]);
    expect(report.restarts).toHaveLength(ROUNDS);
    expect(report.ended).toEqual({ succeeded: report.accepted });
  },
  180_000 + ROUNDS * 70_000,
);
