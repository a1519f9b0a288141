import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Waits until answers have been sent, or their clients are gone, but no longer than that: a process that stops
 * cuts off what is still under way then.
 */
export async function answered(
  answers: Iterable<ServerResponse>,
  patienceMs: number,
): Promise<void> {
  const under = [...answers].filter((answer) => !answer.closed);
  await Promise.race([
    Promise.all(under.map((answer) => once(answer, 'close'))),
    sleep(under.length === 0 ? 0 : patienceMs, undefined, { ref: false }),
  ]);
}
