// After the build of the console: compresses its files, once for all requests, and fails when a first visit
// would load more script than it may. Maps, charts and forms come when they are wanted, and have a budget
// of their own.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { constants, gzipSync } from 'node:zlib';

const DIST = fileURLToPath(new URL('../../packages/console/dist/', import.meta.url));
/** Bytes of compressed script: of a first visit to the jobs, and of any page with all that it may load. */
const FIRST_LOAD = 250_000;
const ANY_PAGE = 400_000;
/** The page that a first visit leads to. */
const FIRST_PAGE = 'src/jobs/jobs-page.tsx';

const manifest = path.join(DIST, '.vite/manifest.json');
/** @type {Record<string, {file: string, imports?: string[], dynamicImports?: string[], isEntry?: boolean}>} */
const chunks = JSON.parse(readFileSync(manifest, 'utf8'));
rmSync(path.dirname(manifest), { recursive: true });

for (const name of readdirSync(DIST, { recursive: true, encoding: 'utf8' })) {
  if (!/\.(js|css|svg|csv)$/.test(name)) continue;
  const bytes = readFileSync(path.join(DIST, name));
  const packed = gzipSync(bytes, { level: constants.Z_BEST_COMPRESSION });
  if (packed.length < bytes.length) writeFileSync(path.join(DIST, `${name}.gz`), packed);
}

const entry = Object.keys(chunks).find((name) => chunks[name]?.isEntry);
const first = bytesOf(loadedBy([entry ?? '', FIRST_PAGE]));
const most = Math.max(
  ...(chunks[entry ?? '']?.dynamicImports ?? []).map((page) =>
    bytesOf(loadedBy([entry ?? '', page, ...(chunks[page]?.dynamicImports ?? [])])),
  ),
);
const told = `The console's first page loads ${first} bytes of script, its largest ${most}.`;
console.log(told);
if (first > FIRST_LOAD || most > ANY_PAGE) {
  console.error(
    `${told} They may have ${FIRST_LOAD} and ${ANY_PAGE}: load what is large when it is wanted (import()).`,
  );
  process.exitCode = 1;
}

/** The chunks that come with these, by what they import at once. @param {string[]} names */
function loadedBy(names) {
  const files = new Set();
  const visit = (/** @type {string} */ name) => {
    const chunk = chunks[name];
    if (chunk === undefined || files.has(chunk.file)) return;
    files.add(chunk.file);
    chunk.imports?.forEach(visit);
  };
  names.forEach(visit);
  return files;
}

/** @param {Set<string>} files */
function bytesOf(files) {
  let sum = 0;
  for (const file of files) sum += readFileSync(path.join(DIST, `${file}.gz`)).length;
  return sum;
}
