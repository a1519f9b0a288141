import type { Job } from 'headframe-client';
import { jobName } from '../job-name.js';
import type { Terminal } from '../terminal/terminal.js';
import { writeWhole } from '../whole-file.js';

/** Of longer lists people see the beginning. */
const SHOWN = 5;

/**
 * Hands out results: whole, to a file or to whatever reads standard output; to people the long lists in
 * them shortened.
 * @param file where to; undefined: standard output
 */
export async function writeResults(
  job: Job,
  results: object,
  file: string | undefined,
  terminal: Terminal,
): Promise<void> {
  const name = jobName(job);
  if (file !== undefined) {
    await writeWhole(file, `${JSON.stringify(results)}\n`, {
      advice: `The results are kept: headframe results ${name} -o FILE`,
    });
    terminal.note(`Results in ${file}`);
    return;
  }
  if (!terminal.isWatched) {
    terminal.data(JSON.stringify(results));
    return;
  }
  let isShortened = false;
  const shortened = JSON.stringify(
    results,
    (_, value: unknown) => {
      if (!Array.isArray(value) || value.length <= 2 * SHOWN) return value;
      isShortened = true;
      return [...(value as unknown[]).slice(0, SHOWN), `… ${value.length - SHOWN} more`];
    },
    2,
  );
  terminal.data(shortened);
  if (isShortened) terminal.note(`All of it: headframe results ${name} -o FILE`);
}
