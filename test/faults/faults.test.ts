import { expect, it } from 'vitest';
import { runFaultLoop } from './fault-loop.js';

/** `npm run test:faults` runs many; here a few show that nothing is broken. */
const ROUNDS = Number(process.env.FAULT_ROUNDS ?? 4);
const SEED = Number(process.env.FAULT_SEED ?? 20261125);

it(
  `every accepted job ends once, whatever dies (${ROUNDS} faults, seed ${SEED})`,
  async () => {
    const report = await runFaultLoop(
      ROUNDS,
      SEED,
      process.env.FAULT_ROUNDS === undefined ? undefined : (line) => console.log(line),
    );
    if (process.env.FAULT_ROUNDS !== undefined) {
      console.log(JSON.stringify(report, null, 2));
    }
    expect(report.violations).toEqual([]);
    expect(report.accepted).toBeGreaterThan(0);
    expect(Object.values(report.ended).reduce((sum, count) => sum + count, 0)).toBe(
      report.accepted,
    );
  },
  180_000 + ROUNDS * 20_000,
);
