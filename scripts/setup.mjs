// Makes a fresh clone ready: packages, database client, build. Every npm script begins with it, so it
// says nothing and takes a blink when there is nothing to do. Only Node's own modules: it runs before
// anything is installed. `--no-build` leaves the build to a watcher.
//
// Read by every Node this project may be tried on, however old: keep the syntax of Node 14 here, and
// import nothing newer before the version is known to be good.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { nodeProblem } from './node-version.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const { engines } = JSON.parse(readFileSync(root + 'package.json', 'utf8'));
const problem = nodeProblem(process.versions.node, engines.node);

/** Fulfilled with whether everything is ready; what is wrong has been told by then. */
export const ready =
  problem === null
    ? import('./setup/steps.mjs').then(function (steps) {
        return steps.setUp(root, { build: !process.argv.includes('--no-build') });
      })
    : Promise.resolve(false);

if (problem !== null) {
  process.stderr.write('\n' + problem + '\n\n');
  process.exitCode = 1;
}
