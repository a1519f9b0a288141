// Makes a fresh clone ready, then runs a built program in this very process:
// `node scripts/run.mjs dist/main.js …`. Keep the syntax of Node 14 here, as in setup.mjs.
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ready } from './setup.mjs';

const PARENT_EVERY_MS = 500;

/**
 * A signal to npm ends npm and the shell between, but does not get here: what npm started would live
 * on, with the port. It takes their end for the signal.
 */
function endWithNpm() {
  const shell = process.ppid;
  const watch = setInterval(function () {
    if (process.ppid !== shell) {
      clearInterval(watch);
      process.kill(process.pid, 'SIGTERM');
    }
  }, PARENT_EVERY_MS);
  watch.unref();
}

void ready.then(function (isReady) {
  if (!isReady) {
    return undefined;
  }
  const program = fileURLToPath(new URL('../' + process.argv[2], import.meta.url));
  process.argv.splice(1, 2, program);
  process.setSourceMapsEnabled(true);
  if (process.env.npm_lifecycle_event !== undefined) {
    endWithNpm();
  }
  return import(pathToFileURL(program).href);
});
