import { setTimeout as sleep } from 'node:timers/promises';
import { mayPass } from './database-errors.js';

const FIRST_WAIT_MS = 100;
const LAST_WAIT_MS = 2_000;

/**
 * Repeats a statement while the database is away, ever more slowly. It may have been carried out
 * although its answer was lost: give it only statements that change nothing the second time.
 * @param giveUp when it is aborted, the next failure is thrown
 * @throws whatever else the statement throws, at once
 */
export async function outlast<T>(
  statement: () => Promise<T>,
  giveUp: AbortSignal,
  onFailure: (error: unknown) => void,
): Promise<T> {
  try {
    return await statement();
  } catch (error) {
    return outlastFrom(error, statement, giveUp, onFailure);
  }
}

/**
 * The same for a statement whose first try has failed: for hot paths, on which nearly always it does not.
 * @param failure of the first try
 */
export async function outlastFrom<T>(
  failure: unknown,
  statement: () => Promise<T>,
  giveUp: AbortSignal,
  onFailure: (error: unknown) => void,
): Promise<T> {
  let last = failure;
  for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(LAST_WAIT_MS, waitMs * 2)) {
    if (!mayPass(last) || giveUp.aborted) {
      throw last;
    }
    onFailure(last);
    await sleep(waitMs * (0.5 + Math.random() / 2));
    try {
      return await statement();
    } catch (error) {
      last = error;
    }
  }
}
