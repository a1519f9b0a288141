// npm run --silent sbom > headframe.cdx.json
// A bill of materials (CycloneDX, JSON) of what the image holds, from package-lock.json alone. npm's own
// `--omit dev` also leaves out what the service needs when a development package needs it too (pg, zod),
// so that the lock file's marks decide here.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

const lock = JSON.parse(readFileSync(`${root}package-lock.json`, 'utf8'));
const installed = new Set(
  Object.entries(lock.packages)
    // As `npm ci --omit=dev --omit=optional` decides.
    .filter(([path, entry]) => path !== '' && !entry.dev && !entry.optional && !entry.devOptional)
    .map(([path, entry]) => `${path.split('node_modules/').at(-1)}@${entry.version}`),
);
const bom = JSON.parse(
  execFileSync('npm', ['sbom', '--sbom-format', 'cyclonedx', '--package-lock-only'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  }),
);
/** @param {string} ref `name@version`, or a place in the tree that ends so */
const isInstalled = (ref) => installed.has(ref.split('|').at(-1) ?? ref);
const own = bom.metadata.component['bom-ref'];
bom.metadata.component.name = lock.name;
bom.components = bom.components.filter((component) => isInstalled(component['bom-ref']));
bom.dependencies = bom.dependencies
  .filter(({ ref }) => ref === own || isInstalled(ref))
  .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter(isInstalled) }));
console.log(JSON.stringify(bom, null, 2));
