import { expect, it } from 'vitest';
import { runCrashLoop } from './crash-loop.js';

/** `npm run test:faults -- --only crash` does it fifty times. */
const ROUNDS = Number(process.env.FAULT_ROUNDS ?? 2);
const TOLD = process.env.FAULT_ROUNDS !== undefined;

it(
  `the server of the database crashes right after claims and completions, and every accepted job ends once (${ROUNDS} times)`,
  async () => {
    const report = await runCrashLoop(ROUNDS, TOLD ? (line) => console.log(line) : undefined);
    if (TOLD) {
      console.log(`${report.accepted} jobs accepted, ended: ${JSON.stringify(report.ended)}`);
    }
    expect(report.violations).toEqual([]);
    expect(report.crashes).toEqual({
      claim: Math.ceil(ROUNDS / 2),
      completion: Math.floor(ROUNDS / 2),
    });
    expect(report.ended).toEqual({ succeeded: report.accepted });
  },
  180_000 + ROUNDS * 70_000,
);
