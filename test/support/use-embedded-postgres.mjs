// A process that uses the embedded server until it is ended: SIGTERM leaves in good order.
// node use-embedded-postgres.mjs <data home>; prints one line of JSON when the server answers.

import { fileURLToPath } from 'node:url';
import { runnerImport } from 'vite';

const launcher = fileURLToPath(
  new URL('../../src/platform/database/embedded/embedded-postgres.ts', import.meta.url),
);
const { module } = await runnerImport(launcher, { configFile: false, logLevel: 'error' });
const { url, reused, stop } = await module.startEmbeddedPostgres({
  dataHome: process.argv[2],
  fsync: false,
  log: () => {},
});
process.once('SIGTERM', () => void stop());
console.log(JSON.stringify({ url, reused }));
