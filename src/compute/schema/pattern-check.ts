import { createRequire } from 'node:module';
import type { checkSync } from 'recheck';

/**
 * Repetitions up to a hundred are unrolled and judged by their automaton, which is a proof; more, and
 * lookaround and back references, by a search for a text that takes long. A check that takes longer
 * than the timeout (milliseconds) has no answer, and the pattern is refused.
 */
const CHECK = { maxRepeatCount: 100, maxPatternSize: 5_000, timeout: 10_000 };

const known = new Map<string, string | null>();

/**
 * Why a pattern must not be tried on what strangers send, or null when its time grows no faster than
 * the text. `(a+)+` takes hours on forty characters, and an event loop that waits for it serves nobody.
 */
export function patternFault(pattern: string): string | null {
  const before = known.get(pattern);
  if (before !== undefined) {
    return before;
  }
  const fault = examine(pattern);
  known.set(pattern, fault);
  return fault;
}

function examine(pattern: string): string | null {
  // Loaded when the first pattern comes: three megabytes, which a service without manifests can spare.
  // This build needs neither worker threads nor the native programs that the package can use.
  const recheck = createRequire(import.meta.url)('recheck/lib/browser.js') as {
    checkSync: typeof checkSync;
  };
  const found = recheck.checkSync(pattern, 'u', CHECK);
  if (found.status === 'safe') {
    return null;
  }
  const why =
    found.status === 'vulnerable'
      ? `takes time that grows faster than the text (${found.complexity.summary})`
      : 'cannot be shown to take little time';
  return `the pattern ${pattern} ${why}: let no two repetitions match the same text, begin it with ^`;
}
