/** Timers do not count further; a longer time would be none at all. */
const MAX_MS = 2 ** 31 - 1;

/**
 * Waits.
 * @param ms at most 24 days are waited
 * @throws the reason of the signal, at once when it fires
 */
export function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason as Error);
      return;
    }
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(
      () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      },
      Math.min(ms, MAX_MS),
    );
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/**
 * Does something under a signal that fires with the caller's, for the same reason, or after some time.
 * Nothing is left on the caller's signal, however long that lives.
 * @param ms until the signal fires with a `TimeoutError`
 */
export function within<R>(
  ms: number,
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<R>,
): Promise<R> {
  return guarded(signal, 0, ms, work);
}

/**
 * Does something that is worth a moment more when the caller has given it up: its signal fires that
 * long after the caller's, for the same reason.
 */
export function outliving<R>(
  ms: number,
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<R>,
): Promise<R> {
  return guarded(signal, ms, null, work);
}

async function guarded<R>(
  signal: AbortSignal | undefined,
  graceMs: number,
  limitMs: number | null,
  work: (signal: AbortSignal) => Promise<R>,
): Promise<R> {
  signal?.throwIfAborted();
  const controller = new AbortController();
  const timers: ReturnType<typeof setTimeout>[] = [];
  const onAbort = () => {
    const reason: unknown = signal?.reason;
    if (graceMs === 0) controller.abort(reason);
    else timers.push(setTimeout(() => controller.abort(reason), graceMs));
  };
  signal?.addEventListener('abort', onAbort, { once: true });
  if (limitMs !== null) {
    const late = () =>
      controller.abort(new DOMException(`No answer in ${limitMs} ms.`, 'TimeoutError'));
    timers.push(setTimeout(late, Math.min(limitMs, MAX_MS)));
  }
  try {
    return await work(controller.signal);
  } finally {
    signal?.removeEventListener('abort', onAbort);
    timers.forEach((timer) => clearTimeout(timer));
  }
}
