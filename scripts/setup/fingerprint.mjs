import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** Lies in node_modules on purpose: who deletes that folder, or installs anew, starts from nothing. */
const STAMPS = 'node_modules/.headframe-setup.json';

/**
 * One hash over the names and contents of files; what does not exist counts as such.
 * @param {string} root
 * @param {string[]} places files, or folders (read whole), relative to root
 */
export function fingerprint(root, places) {
  const hash = createHash('sha256');
  for (const place of places.flatMap((each) => filesIn(root, each))) {
    const content = read(path.join(root, place));
    hash.update(`${place}\0${content === null ? 'absent' : content.length}\0`);
    if (content !== null) hash.update(content);
  }
  return hash.digest('hex');
}

/** @param {string} root @returns {Record<string, string>} */
export function readStamps(root) {
  try {
    return JSON.parse(readFileSync(path.join(root, STAMPS), 'utf8'));
  } catch {
    return {};
  }
}

/** @param {string} root @param {string} step @param {string | undefined} value undefined forgets it */
export function stamp(root, step, value) {
  const stamps = { ...readStamps(root), [step]: value };
  writeFileSync(path.join(root, STAMPS), `${JSON.stringify(stamps, null, 2)}\n`);
}

/** @param {string} root @param {string} place @returns {string[]} */
function filesIn(root, place) {
  let entries;
  try {
    entries = readdirSync(path.join(root, place), { withFileTypes: true });
  } catch {
    return [place];
  }
  return entries
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const name = `${place}/${entry.name}`;
      return entry.isDirectory() ? filesIn(root, name) : [name];
    });
}

/** @param {string} file */
function read(file) {
  try {
    return readFileSync(file);
  } catch {
    return null;
  }
}
