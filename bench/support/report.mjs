// What a benchmark says: how far it is, and what came out.
import { appendFileSync } from 'node:fs';

/** Tells on standard error how far it is, so that the tables on standard output stay alone. */
export const say = (text) => console.error(`  ${new Date().toISOString().slice(11, 19)}  ${text}`);

/**
 * Prints what came out, and appends it to a file.
 * @param {string} text @param {string | undefined} file
 */
export function publish(text, file) {
  console.log(text);
  if (file !== undefined) appendFileSync(file, `${text}\n`);
}
