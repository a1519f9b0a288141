import { chmod, constants, copyFile, mkdir, readdir, readFile, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { EmbeddedPostgresError, USE_YOUR_OWN } from './embedded-postgres.error.js';
import { makeWhole } from './whole-directory.js';

/** The PostgreSQL programs of this platform, ready to be run. */
export interface Binaries {
  initdb: string;
  postgres: string;
  pgCtl: string;
  /** PostgreSQL's major version, as PG_VERSION in a data directory has it. */
  major: string;
}

/** Only compilers and other programs' builds want these: a fifth of the package. */
const NOT_FOR_RUNNING = /\.a$|^pkgconfig$|^pgxs$|^include$/;

/**
 * Copies this platform's PostgreSQL into `folder`, once per version, and returns its programs.
 *
 * A copy, because the package comes without its library links (npm drops them) and may lie where
 * the server's user cannot go.
 *
 * Throws EmbeddedPostgresError when there is no package for this platform.
 */
export async function installBinaries(folder: string): Promise<Binaries> {
  const { root, version } = await platformPackage();
  const target = join(folder, `bin-${version}-${process.platform}-${process.arch}`);
  await makeWhole(target, async (draft) => {
    await copyTree(join(root, 'native'), draft);
    await makeLinks(join(root, 'native'), draft);
    await chmod(draft, 0o755);
  });
  const suffix = process.platform === 'win32' ? '.exe' : '';
  const program = (name: string) => join(target, 'bin', `${name}${suffix}`);
  return {
    initdb: program('initdb'),
    postgres: program('postgres'),
    pgCtl: program('pg_ctl'),
    major: version.split('.')[0] ?? version,
  };
}

async function platformPackage(): Promise<{ root: string; version: string }> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    const root = dirname(dirname(createRequire(import.meta.url).resolve(name)));
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
      version: string;
    };
    return { root, version };
  } catch (error) {
    throw new EmbeddedPostgresError(
      `No embedded PostgreSQL here: the package ${name} is not installed. ` +
        `There is one for Linux and macOS (x64, arm64) and Windows (x64); npm leaves it out with --omit=optional. ` +
        `Install with optional packages. ${USE_YOUR_OWN}`,
      { cause: error },
    );
  }
}

/** Modes are set, not kept: the installing user's umask may have hidden files from the server's user. */
async function copyTree(from: string, to: string): Promise<void> {
  const entries = await readdir(from, { withFileTypes: true });
  await Promise.all(
    entries.map(async (entry) => {
      if (NOT_FOR_RUNNING.test(entry.name)) return;
      const source = join(from, entry.name);
      const target = join(to, entry.name);
      if (entry.isDirectory()) {
        await mkdir(target);
        await chmod(target, 0o755);
        await copyTree(source, target);
      } else if (entry.isFile()) {
        await copyFile(source, target, constants.COPYFILE_FICLONE);
        await chmod(target, from.endsWith('bin') ? 0o755 : 0o644);
      }
    }),
  );
}

/** `pg-symlinks.json` names pairs like native/lib/libpq.so.5.18 (source), native/lib/libpq.so.5 (target). */
async function makeLinks(native: string, to: string): Promise<void> {
  const list = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    const link = join(to, relative('native', target));
    const file = join(to, relative('native', source));
    if (NOT_FOR_RUNNING.test(source)) continue;
    await mkdir(dirname(link), { recursive: true });
    await symlink(relative(dirname(link), file), link).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return;
      if (error.code === 'EPERM') return copyFile(file, link); // Windows without developer mode
      throw error;
    });
  }
}
