// For the image: the command line and the packages that it imports as one file, packages/cli/bundle/main.js,
// so that none of them need be installed there. Run it behind the build of packages/cli.
import { fileURLToPath } from 'node:url';
import { build } from 'rolldown';

const PACKAGE = fileURLToPath(new URL('../../packages/cli/', import.meta.url));

await build({
  input: { main: `${PACKAGE}dist/main.js` },
  cwd: PACKAGE,
  platform: 'node',
  // The names of errors are told.
  output: { dir: `${PACKAGE}bundle`, keepNames: true, codeSplitting: false },
});
