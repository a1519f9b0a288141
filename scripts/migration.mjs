// npm run migration -- <name>            writes prisma/migrations/<UTC time>_<name>/migration.sql
// node scripts/migration.mjs --check     exits 1 and prints the SQL when schema and migrations differ
// Both take --prisma-dir <folder> (default: prisma), and --server <url> of a PostgreSQL to try the
// migrations on (in a database made for it; default: an embedded server that lives for a second).
//
// Prisma's own `migrate` wants a native engine from the network. The same engine is also published
// as WebAssembly: here it compares the migrations, run on an empty database of the embedded server,
// with schema.prisma. It does not see what Prisma cannot express (CHECKs, functions, storage
// settings): write those by hand into the new file, they cause no drift.

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { withEmbeddedServer } from './migrations/embedded-server.mjs';
import { migrationNames } from './migrations/names.mjs';
import { withEngine } from './schema-engine.mjs';

/** @typedef {import('@prisma/schema-engine-wasm').MigrationList} MigrationList */

const root = fileURLToPath(new URL('..', import.meta.url));
const EMPTY = '-- This is an empty migration.';

/** A mistake of the caller: shown without a stack. */
class UsageError extends Error {}

try {
  const { values, positionals } = parseArgs({
    options: {
      check: { type: 'boolean' },
      'prisma-dir': { type: 'string' },
      server: { type: 'string' },
    },
    allowPositionals: true,
  });
  const prismaDir = resolve(values['prisma-dir'] ?? join(root, 'prisma'));
  if (values.check) process.exitCode = await check(prismaDir, values.server);
  else await create(prismaDir, nameFrom(positionals), values.server);
} catch (error) {
  const { code } = /** @type {NodeJS.ErrnoException} */ (error);
  const expected = error instanceof UsageError || code?.startsWith('ERR_PARSE_ARGS');
  console.error(expected ? /** @type {Error} */ (error).message : error);
  process.exitCode = 2;
}

/**
 * @param {string[]} positionals
 * @returns {string} lower case words joined by underscores
 */
function nameFrom(positionals) {
  const [name, ...rest] = positionals;
  if (
    !name ||
    rest.length > 0 ||
    !/^[a-z][a-z0-9]*(_[a-z0-9]+)*$/.test(name) ||
    name.length > 100
  ) {
    throw new UsageError(
      'Usage: npm run migration -- <name>, with a name such as add_job_priority ' +
        '(lower case letters, digits and single underscores).',
    );
  }
  return name;
}

/**
 * Writes the SQL that takes the migrations to schema.prisma.
 *
 * @param {string} prismaDir
 * @param {string} name
 * @param {string | undefined} server
 */
async function create(prismaDir, name, server) {
  const sql = await difference(prismaDir, server);
  if (sql === undefined) {
    console.log('Nothing to migrate: schema.prisma and the migrations agree.');
    return;
  }
  const stamp = new Date().toISOString().replaceAll(/[-:T]/g, '').slice(0, 14);
  const migrations = join(prismaDir, 'migrations');
  const last = (await migrationNames(migrations)).at(-1);
  if (last && last > `${stamp}_${name}`) {
    throw new UsageError(
      `The last migration (${last}) is from the future: a new one would run before it. Check this machine's clock.`,
    );
  }
  const file = join(migrations, `${stamp}_${name}`, 'migration.sql');
  await mkdir(join(migrations, `${stamp}_${name}`), { recursive: true });
  const lock = join(migrations, 'migration_lock.toml');
  await writeFile(lock, 'provider = "postgresql"\n', { flag: 'wx' }).catch(() => {});
  await writeFile(file, sql);
  console.log(`Wrote ${relative(process.cwd(), file)}. Read it before you commit it:\n\n${sql}`);
}

/**
 * @param {string} prismaDir
 * @param {string | undefined} server
 * @returns {Promise<number>} the exit code
 */
async function check(prismaDir, server) {
  const sql = await difference(prismaDir, server);
  if (sql === undefined) return 0;
  console.log(
    `schema.prisma and the migrations differ. Make a migration (npm run migration -- <name>) ` +
      `or correct schema.prisma. What is missing:\n\n${sql}`,
  );
  return 1;
}

/**
 * @param {string} prismaDir
 * @param {string | undefined} server
 * @returns {Promise<string | undefined>} SQL from the migrations to the schema, undefined if none
 */
async function difference(prismaDir, server) {
  const schema = join(prismaDir, 'schema.prisma');
  const files = [{ path: schema, content: await readText(schema) }];
  const migrations = await readMigrations(join(prismaDir, 'migrations'));
  if (server) return diff(server, files, migrations);
  return withEmbeddedServer((url) => diff(url, files, migrations));
}

/**
 * @param {string} url
 * @param {{ path: string, content: string }[]} files
 * @param {MigrationList} migrations
 */
async function diff(url, files, migrations) {
  const { stdout } = await withEngine(url, files, (engine) =>
    engine.diff({
      from: { tag: 'migrations', ...migrations },
      to: { tag: 'schemaDatamodel', files },
      script: true,
      exitCode: true,
      filters: { externalTables: [], externalEnums: [] },
    }),
  );
  return !stdout || stdout.trim() === EMPTY ? undefined : stdout;
}

/**
 * @param {string} directory
 * @returns {Promise<MigrationList>}
 */
async function readMigrations(directory) {
  const names = await migrationNames(directory);
  return {
    baseDir: directory,
    // Without its content the engine takes the migrations for another database's.
    lockfile: { path: 'migration_lock.toml', content: 'provider = "postgresql"\n' },
    shadowDbInitScript: '',
    migrationDirectories: await Promise.all(
      names.map(async (path) => ({
        path,
        migrationFile: {
          path: 'migration.sql',
          content: {
            tag: /** @type {const} */ ('ok'),
            value: await readText(join(directory, path, 'migration.sql')),
          },
        },
      })),
    ),
  };
}

/** @param {string} file */
async function readText(file) {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new UsageError(`Cannot read ${file}: ${/** @type {Error} */ (error).message}`);
  }
}
