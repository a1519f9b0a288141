import { sleep } from './abort.js';
import { ConnectionError, RequestError } from '../errors.js';

/** The first pause, doubled with each further one. */
const FIRST_PAUSE_MS = 200;
const MAX_PAUSE_MS = 5_000;

/** Refusals that another moment may not bring; 409 is a key whose first submit is still under way. */
const PASSING = new Set([408, 409, 425, 429, 502, 503, 504]);

/** What ends attempts. */
export interface Signals {
  /** Ends them all. */
  readonly signal?: AbortSignal | undefined;
  /** Fires earlier than `signal`: from then on only what may have been done already is tried again. */
  readonly givenUp?: AbortSignal | undefined;
}

/** How a request may be repeated. */
export interface Repeats extends Signals {
  /** Whether doing it twice does harm: then only refusals that have done nothing are tried again. */
  readonly once?: boolean | undefined;
}

/**
 * Repeats what may be repeated without harm, until it succeeds, fails for good, or the next attempt
 * would come too late. It waits at least as long as the service asks for (`Retry-After`).
 * @param patienceMs how long after the first attempt the last one may start; 0: one attempt
 * @throws the last failure, or the reason of a signal
 */
export async function persist<R>(
  patienceMs: number,
  { signal, givenUp = signal, once = false }: Repeats,
  attempt: () => Promise<R>,
): Promise<R> {
  const started = performance.now();
  for (let failures = 0; ; failures += 1) {
    try {
      return await attempt();
    } catch (error) {
      // A refusal is known to have done nothing; a connection that broke may have done it all.
      const stop = error instanceof RequestError ? givenUp : signal;
      stop?.throwIfAborted();
      if (once && mayHaveBeenDone(error)) throw error;
      const pause = pauseAfter(error, failures);
      if (pause === null || performance.now() - started + pause > patienceMs) throw error;
      await sleep(pause, stop);
    }
  }
}

/** Whether a request may have been done although it failed: lost on its way back, or a proxy gave up. */
function mayHaveBeenDone(error: unknown): boolean {
  return !(error instanceof RequestError) || [502, 504].includes(error.status);
}

/** @returns milliseconds, a little different each time; null when another attempt is of no use */
function pauseAfter(error: unknown, failures: number): number | null {
  const passing = error instanceof RequestError && PASSING.has(error.status);
  if (!passing && !(error instanceof ConnectionError)) return null;
  const asked = passing ? (error.retryAfterSeconds ?? 0) * 1000 : 0;
  const own = Math.min(FIRST_PAUSE_MS * 2 ** Math.min(failures, 10), MAX_PAUSE_MS);
  return Math.max(asked, own) + Math.random() * own * 0.2;
}
