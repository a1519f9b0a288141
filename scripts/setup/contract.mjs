// Writes the types of the API, as docs/openapi.json describes it, for packages/client: they are generated
// wherever they are needed, so that they cannot be those of another version.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import openapiTypescript, { astToString } from 'openapi-typescript';

const CONTRACT = new URL('../../docs/openapi.json', import.meta.url);
const TYPES = new URL('../../packages/client/src/generated/api.ts', import.meta.url);

try {
  const types = await openapiTypescript(JSON.parse(readFileSync(CONTRACT, 'utf8')), {
    // What has a default need not be sent.
    defaultNonNullable: false,
    // An object without named members may have any.
    emptyObjectsUnknown: true,
    silent: true,
  });
  mkdirSync(new URL('.', TYPES), { recursive: true });
  writeFileSync(TYPES, `// Generated from docs/openapi.json.\n${astToString(types)}`);
} catch (error) {
  // Not the error itself: those of the generator have the whole document in them.
  console.error(error.message);
  process.exitCode = 1;
}
