import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from '../support/random.js';
import { FaultLoad, type Verdict } from './fault-load.js';
import { FaultSystem } from './fault-system.js';

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
/** Together they submit more than the workers can do: what ends in a second is what the workers do. */
const CALLERS = 10;
/** Also of those that the workers have claimed ahead. */
const MAX_UNENDED = 200;
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
  const load = new FaultLoad(system);
  const restarts: Restart[] = [];
  const exits: string[] = [];
  const watch = setInterval(() => void throttle(system, load), 250);
  try {
    const loading = Promise.all(Array.from({ length: CALLERS }, () => load.run()));
    await busy(system);
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
    load.stop();
    await loading;
    await load.settle();
    const { ended, violations } = await load.verdict();
    const accepted = load.accepted.size;
    return { baseline, restarts, accepted, ended, violations: [...violations, ...exits] };
  } finally {
    clearInterval(watch);
    load.stop();
    await system.stop();
  }
}

/** Keeps the queue from running empty, and from growing without end. */
async function throttle(system: FaultSystem, load: FaultLoad): Promise<void> {
  try {
    load.paused = (await unended(system)) > MAX_UNENDED;
  } catch {
    // The database is away: there is nothing to submit to.
  }
}

async function unended(system: FaultSystem): Promise<number> {
  const [row] = await system.ask(
    'SELECT count(*)::int AS unended FROM jobs WHERE ended_at IS NULL',
  );
  return row?.unended as number;
}

async function busy(system: FaultSystem): Promise<void> {
  while ((await unended(system)) < MAX_UNENDED / 3) {
    await sleep(100);
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
    const ends = await endsSince(system, since);
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

/** When jobs ended, in milliseconds after that moment of the database's clock, in order. */
async function endsSince(system: FaultSystem, since: number): Promise<number[]> {
  const rows = await system.ask(
    `SELECT (extract(epoch FROM ended_at) * 1000 - ${since})::float8 AS end FROM jobs
     WHERE ended_at >= to_timestamp(${since / 1_000}) ORDER BY ended_at`,
  );
  return rows.map((row) => row.end as number);
}

const seconds = (ms: number) => `${(ms / 1_000).toFixed(2)} s`;
