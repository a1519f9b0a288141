// After the build: puts the packages of many small files that dist imports into a few large ones, in
// dist/packages, and lets dist import those. Node reads, resolves and links each file for itself, and of
// 1,400 that a start loaded these were 1,100: it takes half the processor time without them.
//
// What dist is stays as it was: every module of ours lies where the build has put it.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const DIST = fileURLToPath(new URL('../../dist/', import.meta.url));
const PACKAGES = path.join(DIST, 'packages');

/** The packages to bundle: written as ES modules, so that what they export is known by name. */
const BUNDLED = /^(@nestjs\/|jose$|uuid$|zod$)/;
/**
 * What bundled packages import and must not be bundled: what lies outside of it would have a second copy
 * (of a registry, a class), or finds its files beside its own; and what Nest looks for and we do not have.
 */
const EXTERNAL = [
  /^(passport|pg|pino|reflect-metadata)(\/|$)/,
  /^@fastify\/static$/,
  /^@nestjs\/(microservices|platform-express|websockets)/,
  /^@fastify\/(multipart|view)$/,
  /^class-(transformer|validator)/,
];
/** The module that a statement of a built file imports. */
const IMPORTED = /(?<=^(?:import|export)\b(?:[^'";(]*\bfrom)?\s*['"])[^'"]+(?=['"])/gm;

const files = readdirSync(DIST, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.js'))
  .map((file) => path.join(DIST, file));
const contents = new Map(files.map((file) => [file, readFileSync(file, 'utf8')]));
const imported = [...contents.values()].flatMap((text) => text.match(IMPORTED) ?? []);
/** From the name by which a package is imported to that of its file, without `.js`. */
const bundles = new Map(
  imported
    .filter((name) => BUNDLED.test(name))
    .map((name) => [name, name.replace(/^@|\.js$/g, '').replaceAll('/', '.')]),
);

if (bundles.size > 0) {
  const { build } = await import('rolldown');
  await build({
    input: Object.fromEntries([...bundles].map(([name, file]) => [file, name])),
    cwd: DIST,
    platform: 'node',
    external: EXTERNAL,
    // The names of classes are told in logs and in the description of the API.
    output: { dir: PACKAGES, keepNames: true },
  });
}
for (const [file, text] of contents) {
  const up = path.relative(path.dirname(file), PACKAGES).replaceAll(path.sep, '/');
  const from = up.startsWith('.') ? up : `./${up}`;
  const changed = text.replace(IMPORTED, (name) =>
    bundles.has(name) ? `${from}/${bundles.get(name)}.js` : name,
  );
  if (changed !== text) writeFileSync(file, changed);
}
