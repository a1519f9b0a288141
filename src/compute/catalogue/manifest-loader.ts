import { isUtf8 } from 'node:buffer';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ManifestError, taskOf } from './manifest.js';
import { type CatalogueEntry, TaskCatalogue, taskKey } from './task-catalogue.js';

const MANIFEST = 'task.json';
/** Folders further down are not looked into. */
const MAX_LEVELS = 5;
const LARGEST_MANIFEST = 1024 * 1024;

/** A manifest about which something is wrong, and what. */
export interface WrongManifest {
  /** Relative to the folder that was looked through. */
  readonly file: string;
  readonly faults: readonly string[];
}

export interface LoadedManifests {
  /** The tasks that were there before, and those of the right manifests. */
  readonly catalogue: TaskCatalogue;
  readonly wrong: readonly WrongManifest[];
  /** Manifests that are offered although something about them is odd. */
  readonly odd: readonly WrongManifest[];
}

/**
 * Adds the tasks of all manifests below a folder to a catalogue. A wrong one is left out and told;
 * the others are not touched by it.
 * @throws Error when the folder itself cannot be read
 */
export async function loadManifests(
  folder: string,
  builtIn: TaskCatalogue,
): Promise<LoadedManifests> {
  const root = resolve(folder);
  const taken = new Map(builtIn.entries.map(({ task }) => [taskKey(task), 'the service itself']));
  const entries: CatalogueEntry[] = [];
  const wrong: WrongManifest[] = [];
  const odd: WrongManifest[] = [];
  for (const file of await manifestsBelow(root, 0)) {
    const name = relative(root, file);
    try {
      const text = await read(file);
      const task = taskOf(text, resolve(file, '..'));
      const twin = taken.get(taskKey(task));
      if (twin !== undefined) {
        throw new ManifestError([`${taskKey(task)} is defined by ${twin} already`]);
      }
      taken.set(taskKey(task), name);
      entries.push({ task, moduleUrl: pathToFileURL(file).href });
      if (text.startsWith('\uFEFF')) {
        odd.push({
          file: name,
          faults: ['begins with a byte order mark (BOM): save it as UTF-8 without one'],
        });
      }
    } catch (error) {
      const faults = error instanceof ManifestError ? error.faults : [(error as Error).message];
      wrong.push({ file: name, faults });
    }
  }
  return { catalogue: new TaskCatalogue([...builtIn.entries, ...entries]), wrong, odd };
}

/** A folder with a manifest is a task: what else is in it is its own business. */
async function manifestsBelow(folder: string, level: number): Promise<string[]> {
  const names = (await readdir(folder)).sort();
  if (names.includes(MANIFEST)) {
    return [join(folder, MANIFEST)];
  }
  const found: string[] = [];
  for (const name of names) {
    const path = join(folder, name);
    // Mounted configuration keeps copies of itself under names that begin with dots.
    const hidden = name.startsWith('.') || name === 'node_modules';
    if (!hidden && level < MAX_LEVELS && (await isFolder(path))) {
      found.push(...(await manifestsBelow(path, level + 1).catch(() => [])));
    }
  }
  return found;
}

/** Links are followed: the levels are counted, so that a circle ends. */
const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );

async function read(file: string): Promise<string> {
  if (process.platform === 'win32') {
    throw new ManifestError(['process tasks need a POSIX system']);
  }
  const { size } = await stat(file);
  if (size > LARGEST_MANIFEST) {
    throw new ManifestError([`is larger than ${LARGEST_MANIFEST} bytes`]);
  }
  const bytes = await readFile(file);
  if (!isUtf8(bytes)) {
    throw new ManifestError([
      'is not valid UTF-8: save it as UTF-8, not as UTF-16 or another encoding',
    ]);
  }
  return bytes.toString('utf8');
}
