// Processor time, which repeats within some per cent where rates depend on what else a machine does.
import { readdirSync, readFileSync } from 'node:fs';

/** Milliseconds of one tick of the system's accounting: 100 a second on every Linux. */
const TICK_MS = 10;

/** @param {number} pid @returns {string[] | null} what follows the name in /proc/<pid>/stat: state, parent, … */
function stat(pid) {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1).split(' ');
  } catch {
    return null;
  }
}

/**
 * @param {number} pid
 * @returns {number | null} milliseconds that a process has used, of user and system; null where the
 *   system does not tell
 */
export function processorTime(pid) {
  const fields = stat(pid);
  return fields && (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/**
 * @param {number} pid
 * @returns {number | null} milliseconds that a process and its children have used, those that have ended
 *   included
 */
export function processorTimeOfAll(pid) {
  const own = stat(pid);
  if (own === null) return null;
  const ended = (Number(own[13]) + Number(own[14])) * TICK_MS;
  const children = readdirSync('/proc').filter(
    (name) => /^\d+$/.test(name) && stat(Number(name))?.[1] === String(pid),
  );
  return [pid, ...children].reduce((sum, one) => sum + (processorTime(Number(one)) ?? 0), ended);
}
