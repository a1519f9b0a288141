/**
 * By how much the service's clock is ahead of this one, in milliseconds: a browser may be an hour off, and
 * ages are told by the clock that wrote the times. From the `Date` of answers, which has whole seconds.
 */
let ahead = 0;
let known = false;

export function learnClock(headers: Headers): void {
  const date = Date.parse(headers.get('date') ?? '');
  if (Number.isNaN(date)) return;
  const difference = date + 500 - Date.now();
  // The latency of one answer is no reason to move: only what cannot be latency is.
  if (!known || Math.abs(difference - ahead) > 3_000) ahead = difference;
  known = true;
}

/** Now, by the clock of the service, in milliseconds since 1970. */
export const serviceNow = (): number => Date.now() + (Math.abs(ahead) < 2_000 ? 0 : ahead);
