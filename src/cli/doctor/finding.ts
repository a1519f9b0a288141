/** How bad it is: `fail` keeps the service from its work, `warn` will, or may lose something. */
export type Level = 'ok' | 'warn' | 'fail';

/** What a check came to. */
export interface Finding {
  /** What was looked at: one or two words. */
  readonly check: string;
  readonly level: Level;
  /** What was found; never a secret. */
  readonly found: string;
  /** What to do about it; null when nothing is. */
  readonly advice: string | null;
}

export const good = (check: string, found: string): Finding => ({
  check,
  level: 'ok',
  found,
  advice: null,
});

export const bad = (
  check: string,
  level: 'warn' | 'fail',
  found: string,
  advice: string,
): Finding => ({ check, level, found, advice });

const PATIENCE_MS = 15_000;

/**
 * Runs a check; one that throws, or hangs for 15 s, is a failure with its reason.
 * @param advice what to do when it cannot be carried out
 */
export async function attempt(
  check: string,
  advice: string,
  look: () => Promise<readonly Finding[]> | readonly Finding[],
): Promise<readonly Finding[]> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`no answer in ${PATIENCE_MS / 1_000} s`)),
      PATIENCE_MS,
    );
  });
  try {
    return await Promise.race([Promise.resolve().then(look), late]);
  } catch (error) {
    return [bad(check, 'fail', reasonOf(error), advice)];
  } finally {
    clearTimeout(timer);
  }
}

/** In one line; a refused connection to a name with two addresses has a code and no message. */
export function reasonOf(error: unknown): string {
  const { message, code } = (error ?? {}) as { message?: string; code?: string };
  return (message || code || String(error)).split('\n')[0] as string;
}
