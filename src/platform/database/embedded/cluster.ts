import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chown, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Binaries } from './binaries.js';
import { EmbeddedPostgresError } from './embedded-postgres.error.js';
import { serverAccount } from './server-account.js';
import { makeWhole } from './whole-directory.js';

/** The superuser, and the database, of the embedded server. */
export const NAME = 'headframe';

/** One initialized data directory and what is needed to use it. */
export interface Cluster {
  directory: string;
  dataDirectory: string;
  /** Server output, appended. */
  logFile: string;
  /** The port of the last start, so that addresses stay the same from day to day. */
  portFile: string;
  password: string;
}

/** The environment of PostgreSQL's programs: none of ours (PG*, LD_LIBRARY_PATH) leads them astray. */
export const SERVER_ENVIRONMENT: NodeJS.ProcessEnv = {
  LC_ALL: 'C',
  TZ: 'UTC',
  ...(process.platform === 'win32' ? { SystemRoot: 'C:\\Windows' } : { PATH: '/usr/bin:/bin' }),
};

/**
 * Opens the cluster in `folder`, which is initialized first if there is none.
 *
 * Data and password appear together or not at all (see {@link makeWhole}). The locale is
 * PostgreSQL's built-in C.UTF-8, which sorts alike on every operating system.
 *
 * Throws EmbeddedPostgresError when the data are of another major version.
 */
export async function openCluster(
  folder: string,
  binaries: Binaries,
  options: { fsync: boolean; log: (message: string) => void },
): Promise<Cluster> {
  const directory = join(folder, 'cluster');
  const dataDirectory = join(directory, 'data');
  await makeWhole(directory, async (draft) => {
    options.log(`Preparing an embedded PostgreSQL ${binaries.major} in ${folder}`);
    await initialize(draft, binaries, options.fsync);
  });
  const found = (await readFile(join(dataDirectory, 'PG_VERSION'), 'utf8')).trim();
  if (found !== binaries.major) {
    throw new EmbeddedPostgresError(
      `${dataDirectory} was made by PostgreSQL ${found}, and this version of Headframe brings ${binaries.major}. ` +
        `Keep the data by dumping it with the Headframe that made it; or remove ${directory} to start empty.`,
    );
  }
  return {
    directory,
    dataDirectory,
    logFile: join(directory, 'server.log'),
    portFile: join(directory, 'port'),
    password: (await readFile(join(directory, 'password'), 'utf8')).trim(),
  };
}

async function initialize(draft: string, binaries: Binaries, fsync: boolean): Promise<void> {
  const account = serverAccount();
  const data = join(draft, 'data');
  const passwordFile = join(draft, 'password');
  const forInitdb = join(draft, 'password.initdb');
  const password = randomBytes(24).toString('base64url');
  await mkdir(data, { mode: 0o700 });
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  await writeFile(forInitdb, `${password}\n`, { mode: 0o600 });
  if (account) {
    await chown(data, account.uid, account.gid);
    await chown(forInitdb, account.uid, account.gid);
  }
  const parameters = [
    `--pgdata=${data}`,
    `--username=${NAME}`,
    `--pwfile=${forInitdb}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--locale=C',
    '--no-instructions',
    ...(fsync ? [] : ['--no-sync']),
  ];
  try {
    await promisify(execFile)(binaries.initdb, parameters, {
      cwd: data,
      env: SERVER_ENVIRONMENT,
      ...account,
    });
  } catch (error) {
    const { code, stderr } = error as { code?: unknown; stderr?: string };
    if (typeof code === 'string') throw error; // could not be started at all: EACCES, ENOENT…
    if (/no space left on device/i.test(stderr ?? '')) {
      throw Object.assign(new Error(stderr), { code: 'ENOSPC' });
    }
    throw new EmbeddedPostgresError(`initdb failed: ${stderr?.trim()}`, { cause: error });
  }
  await rm(forInitdb);
}
