import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from '../support/random.js';
import { FaultLoad, type Verdict } from './fault-load.js';
import { type Fault, FAULTS, FaultSystem } from './fault-system.js';

export interface FaultReport extends Verdict {
  readonly faults: Readonly<Record<Fault, number>>;
  /** Jobs that were answered with 303. */
  readonly accepted: number;
}

const PAUSE_MS = { shortest: 200, longest: 1_200 };

/**
 * Two workers and an api over a durable database, under load from one client, while one fault after
 * another strikes at a random moment; then everything is let come to rest, and every accepted job is
 * looked at.
 * @param rounds how many faults
 * @param seed of their choice and moments
 */
export async function runFaultLoop(
  rounds: number,
  seed: number,
  log: (line: string) => void = () => undefined,
): Promise<FaultReport> {
  const random = seededRandom(seed);
  const system = await FaultSystem.start();
  const faults = Object.fromEntries(FAULTS.map((fault) => [fault, 0])) as Record<Fault, number>;
  const load = new FaultLoad(system);
  try {
    const loading = load.run();
    for (let round = 1; round <= rounds; round += 1) {
      await sleep(PAUSE_MS.shortest + random() * (PAUSE_MS.longest - PAUSE_MS.shortest));
      const fault = FAULTS[Math.floor(random() * FAULTS.length)] as Fault;
      faults[fault] += 1;
      log(`${round}/${rounds} ${fault}, ${load.accepted.size} accepted`);
      await system.strike(fault, random);
    }
    load.stop();
    await loading;
    await load.settle();
    return { faults, accepted: load.accepted.size, ...(await load.verdict()) };
  } finally {
    load.stop();
    await system.stop();
  }
}
