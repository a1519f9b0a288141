// Generates the database client from prisma/schema.prisma, as `prisma generate` does, by the two packages of
// Prisma's that do it: its command line loads a studio, a development server and a database in WebAssembly,
// 250 MB in all, before it reads its arguments.
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const require = createRequire(import.meta.url);
// As CommonJS: what they export to ES modules cannot be imported by Node.
/** @type {typeof import('@prisma/internals')} */
const { getGenerators, loadSchemaContext } = require('@prisma/internals');
/** @type {typeof import('@prisma/client-generator-ts')} */
const { PrismaClientTsGenerator } = require('@prisma/client-generator-ts');

const schemaContext = await loadSchemaContext({
  cwd: root,
  schemaPath: { cliProvidedPath: 'prisma/schema.prisma' },
  printLoadMessage: false,
});
const generators = await getGenerators({
  schemaContext,
  registry: {
    'prisma-client': { type: 'in-process', generator: new PrismaClientTsGenerator() },
  },
  printDownloadProgress: false,
});
for (const generator of generators) {
  await generator.generate();
  generator.stop();
}
