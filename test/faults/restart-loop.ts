import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from '../support/random.js';
import type { Verdict } from './fault-load.js';
import { FaultSystem } from './fault-system.js';
import { SteadyLoad } from './steady-load.js';

/** One restart of the database; times in milliseconds, but for the first from the server's answer. */
export interface Restart {
  readonly atOnce: boolean;
  readonly awayMs: number;
  /** Until the first job ended again. */
  readonly firstEndMs: number;
  /** Until the two seconds began in which as many jobs ended as before, but for one in twenty. */
  readonly backMs: number;
}

export interface RestartReport extends Verdict {
  /** Jobs that ended in a second before the first restart. */
  readonly baseline: number;
  readonly restarts: readonly Restart[];
  readonly accepted: number;
}

const SLOTS = 6;
const BASELINE_MS = 4_000;
const WINDOW_MS = 2_000;
/** What ran on while the database was away is written at once when it is back: that is no throughput. */
const CATCHING_UP_MS = 250;
const BACK = 0.95;
const PATIENCE_MS = 60_000;
const PAUSE_MS = 1_000;

/**
 * Two workers and an api over a durable database that is restarted again and again, by turns in good
 * order and at once, while more jobs come than the workers can do.
 * @param rounds how many restarts
 * @param seed of the pauses between them
 */
export async function runRestartLoop(
  rounds: number,
  seed: number,
  log: (line: string) => void = () => undefined,
): Promise<RestartReport> {
  const random = seededRandom(seed);
  const system = await FaultSystem.start(SLOTS);
  const restarts: Restart[] = [];
  const exits: string[] = [];
  const load = new SteadyLoad(system);
  try {
    await load.busy();
    const baseline = await throughput(system);
    log(`before: ${baseline.toFixed(0)} jobs a second`);
    for (let round = 1; round <= rounds && exits.length === 0; round += 1) {
      const atOnce = round % 2 === 0;
      const stopped = performance.now();
      const since = await system.restartDatabase(atOnce);
      const awayMs = performance.now() - stopped;
      const restart = { atOnce, awayMs, ...(await recovery(system, since, baseline)) };
      restarts.push(restart);
      exits.push(...system.missing());
      log(
        `${round}/${rounds} stopped ${atOnce ? 'at once' : 'in good order'}, away for ${seconds(awayMs)}: the first job ended ` +
          `after ${seconds(restart.firstEndMs)}, throughput was back after ${seconds(restart.backMs)}`,
      );
      await sleep(random() * PAUSE_MS);
    }
    const { accepted, ended, violations } = await load.end();
    return { baseline, restarts, accepted, ended, violations: [...violations, ...exits] };
  } finally {
    load.stop();
    await system.stop();
  }
}

/** @returns jobs that end in a second */
async function throughput(system: FaultSystem): Promise<number> {
  const count = async () =>
    (await system.ask('SELECT count(ended_at)::int AS ended FROM jobs'))[0]?.ended as number;
  const [before, from] = [await count(), performance.now()];
  await sleep(BASELINE_MS);
  return ((await count()) - before) / ((performance.now() - from) / 1_000);
}

/** Looks at what has ended since, until it is as much as before. */
async function recovery(
  system: FaultSystem,
  since: number,
  baseline: number,
): Promise<Pick<Restart, 'firstEndMs' | 'backMs'>> {
  const enough = BACK * baseline * (WINDOW_MS / 1_000);
  const deadline = performance.now() + PATIENCE_MS;
  while (performance.now() < deadline) {
    await sleep(250);
    const ends = await system.endsSince(since);
    const [first = Infinity] = ends;
    const back = ends.find(
      (end) =>
        end > first + CATCHING_UP_MS &&
        ends.filter((other) => other >= end && other < end + WINDOW_MS).length >= enough,
    );
    if (back !== undefined) {
      return { firstEndMs: first, backMs: back };
    }
  }
  throw new Error(`${PATIENCE_MS} ms after the restart fewer jobs ended than before`);
}

const seconds = (ms: number) => `${(ms / 1_000).toFixed(2)} s`;
