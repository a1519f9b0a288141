// What the figures were measured on and with.
import { readFileSync } from 'node:fs';
import os from 'node:os';

/** @param {string} name a package that is installed @returns {string} */
export const versionOf = (name) =>
  JSON.parse(readFileSync(new URL(`../../node_modules/${name}/package.json`, import.meta.url)))
    .version;

/** @returns {string} one line */
export function machine() {
  const gib = Math.round(os.totalmem() / 2 ** 30);
  const model = os.cpus()[0]?.model ?? 'unknown';
  return `${os.cpus().length} cores (${model.trim()}), ${gib} GiB, ${os.type()} ${os.release()}, Node ${process.versions.node}`;
}

/** How busy the machine was before we came: figures of a busy one are no good. */
export const load = () => os.loadavg()[0].toFixed(2);
