import { setTimeout as sleep } from 'node:timers/promises';
import type { Verdict } from './fault-load.js';
import { FaultSystem } from './fault-system.js';
import { SteadyLoad } from './steady-load.js';

/** What was committed last when the server dies, by turns; and a number that has just grown then. */
const MOMENTS = {
  claim: 'SELECT extract(epoch FROM max(started_at))::float8 AS value FROM job_leases',
  completion: 'SELECT extract(epoch FROM max(ended_at))::float8 AS value FROM job_ends',
} as const;

export interface CrashReport extends Verdict {
  readonly accepted: number;
  /** How often the server crashed right after what. */
  readonly crashes: Readonly<Record<keyof typeof MOMENTS, number>>;
}

const SLOTS = 6;
const PATIENCE_MS = 60_000;

/**
 * Two workers and an api over a durable database whose server crashes right after a claim or a completion was
 * committed, again and again, under load. Each time jobs have to end again before the next one.
 * @param rounds how many crashes
 */
export async function runCrashLoop(
  rounds: number,
  log: (line: string) => void = () => undefined,
): Promise<CrashReport> {
  const system = await FaultSystem.start(SLOTS);
  const load = new SteadyLoad(system);
  const crashes = { claim: 0, completion: 0 };
  const exits: string[] = [];
  try {
    await load.busy();
    for (let round = 1; round <= rounds && exits.length === 0; round += 1) {
      const moment = round % 2 === 0 ? 'completion' : 'claim';
      await system.growth(MOMENTS[moment]);
      const since = await system.restartDatabase(true);
      crashes[moment] += 1;
      const firstEndMs = await firstEnd(system, since);
      exits.push(...system.missing());
      log(
        `${round}/${rounds} crashed after a ${moment}; the first job ended ${firstEndMs.toFixed(0)} ms after the server was back`,
      );
    }
    const { accepted, ended, violations } = await load.end();
    return { accepted, crashes, ended, violations: [...violations, ...exits] };
  } finally {
    load.stop();
    await system.stop();
  }
}

async function firstEnd(system: FaultSystem, since: number): Promise<number> {
  const deadline = performance.now() + PATIENCE_MS;
  while (performance.now() < deadline) {
    const [first] = await system.endsSince(since);
    if (first !== undefined) {
      return first;
    }
    await sleep(50);
  }
  throw new Error(`no job has ended ${PATIENCE_MS} ms after the server was back`);
}
