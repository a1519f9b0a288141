import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const map = readFileSync(`${root}CONTRIBUTING.md`, 'utf8');
const MAX_FILES = 10;
const MAX_LINES = 400;

interface Folder {
  /** From the project's root. */
  readonly path: string;
  readonly files: readonly string[];
  readonly folders: readonly string[];
}

/** A folder of sources and all below it, but for what is generated. */
function foldersBelow(path: string): Folder[] {
  const entries = readdirSync(root + path, { withFileTypes: true });
  const names = (kind: 'isFile' | 'isDirectory') =>
    entries.filter((entry) => entry[kind]()).map(({ name }) => name);
  const folder = {
    path,
    files: names('isFile'),
    folders: names('isDirectory').filter((name) => name !== 'generated'),
  };
  return [folder, ...folder.folders.flatMap((name) => foldersBelow(`${path}/${name}`))];
}

const all = foldersBelow('src');

describe('the rooms of src', () => {
  it.each(all.map(({ path, files }) => [path, files]))(
    `%s has at most ${MAX_FILES} files, none over ${MAX_LINES} lines`,
    (path, files) => {
      expect(files.length).toBeLessThanOrEqual(MAX_FILES);
      for (const file of files) {
        const lines = readFileSync(`${root}${path}/${file}`, 'utf8').split('\n').length - 1;
        expect(lines, file).toBeLessThanOrEqual(MAX_LINES);
      }
    },
  );

  it('of jobs and compute are all on the map', () => {
    const rooms = all.filter(({ path }) => /^src\/(jobs|compute)$/.test(path));
    for (const { path, folders } of rooms) {
      for (const room of folders) {
        expect(map).toContain(`| \`${path}/${room}\` |`);
      }
    }
  });

  it('spell their files one way: dots before the role, dashes inside words', () => {
    const ROLE =
      /^[a-z0-9]+(-[a-z0-9]+)*(\.(controller|store|guard|module|schema|openapi|presenter|decorators|strategy|filter|runner|worker|decorator|task|problem|error|thread))?\.(ts|sh)$/;
    for (const { path, files } of all) {
      for (const file of files) {
        expect(`${path}/${file}`).toMatch(new RegExp(`^${path}/${ROLE.source.slice(1)}`));
      }
    }
  });
});
