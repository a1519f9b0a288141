import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const DIST = join(ROOT, 'dist');

/** What the statements of a file import when it is loaded: not what it may ask for later. */
const importsOf = (file: string): string[] =>
  [
    ...readFileSync(file, 'utf8').matchAll(
      /^(?:import|export)\s*(?:[\w$*{}\s,]*\bfrom\s*)?['"]([^'"]+)['"]/gm,
    ),
  ].map(([, name]) => name!);

describe('the build', () => {
  const files = readdirSync(DIST, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.js'),
  );

  it('imports the packages of many files from dist/packages alone', () => {
    const others = files.filter((file) => !file.startsWith('packages'));
    const many = others.flatMap((file) =>
      importsOf(join(DIST, file)).filter((name) => /^(@nestjs\/|zod|jose|uuid)/.test(name)),
    );
    expect(many).toEqual([]);
    expect(others.length).toBeGreaterThan(100);
  });

  it('needs packages that are not in the image in the demo alone, which is not there either', () => {
    const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      dependencies: Record<string, string>;
    };
    const missing = (file: string) =>
      importsOf(join(DIST, file))
        .filter((name) => !/^\.|^node:/.test(name) && !builtinModules.includes(name))
        .map((name) => name.split('/', name.startsWith('@') ? 2 : 1).join('/'))
        .filter((name) => !(name in dependencies));
    const needy = files.filter((file) => !file.startsWith('packages') && missing(file).length > 0);
    expect(needy.map((file) => join(file, '..'))).toContain(join('cli', 'demo'));
    expect(needy.filter((file) => !file.startsWith(join('cli', 'demo')))).toEqual([]);
    expect(readFileSync(join(ROOT, 'Dockerfile'), 'utf8')).toContain('rm -r dist/cli/demo');
  });

  it('bundles nothing that needs a package which package.json does not name', () => {
    const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      dependencies: Record<string, string>;
    };
    const needed = files
      .filter((file) => file.startsWith('packages'))
      .flatMap((file) => importsOf(join(DIST, file)))
      .filter((name) => !name.startsWith('.'))
      .map((name) => name.replace(/^node:/, ''))
      .filter((name) => !builtinModules.includes(name));
    expect(needed.length).toBeGreaterThan(0);
    expect(needed.filter((name) => !(name in dependencies))).toEqual([]);
  });
});
