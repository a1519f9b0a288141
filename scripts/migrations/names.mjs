import { readdir } from 'node:fs/promises';

/**
 * The names of the migrations, in the order in which they are applied.
 * @param {string} directory the folder of the migrations; none need be there
 */
export async function migrationNames(directory) {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .toSorted();
}
