import { createHash } from 'node:crypto';
import {
  accessSync,
  chmodSync,
  constants,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { EmbeddedPostgresError, USE_YOUR_OWN } from './embedded-postgres.error.js';
import { obstacleFor, serverAccount } from './server-account.js';

const ABANDONED_AFTER_MS = 6 * 60 * 60 * 1000;

/**
 * Where the embedded server and the development key live when nobody says otherwise:
 * `<cwd>/.headframe`.
 *
 * As root the server runs as another user (see {@link serverAccount}), who cannot enter a clone
 * under /root or in a private temporary folder. Then it is `/var/lib/headframe/<hash of cwd>`,
 * or a folder beside other temporary files when /var/lib cannot be written.
 */
export function defaultDataHome(cwd: string): string {
  const beside = resolve(cwd, '.headframe');
  const account = canTell(() => serverAccount());
  if (!account || !obstacleFor(account, beside)) return beside;
  const hash = createHash('sha256').update(resolve(cwd)).digest('hex').slice(0, 12);
  const system = '/var/lib/headframe';
  if (isWritable(system) && !obstacleFor(account, system)) return join(system, hash);
  return join(tmpdir(), `headframe-${process.getuid?.()}-${hash}`);
}

/**
 * A fresh data home for a server that lives as long as one run (tests, the migration tool), inside
 * the default one, because the server's user can go there. The caller removes it. What killed runs
 * left is swept after a while; a server still running there notices that its files are gone and ends.
 */
export function temporaryDataHome(cwd: string): string {
  const parent = join(defaultDataHome(cwd), 'temporary');
  ensureDataHome(defaultDataHome(cwd));
  makePassable(parent);
  for (const name of readdirSync(parent)) {
    const left = join(parent, name);
    const { mtimeMs } = statSync(left, { throwIfNoEntry: false }) ?? { mtimeMs: Infinity };
    if (Date.now() - mtimeMs > ABANDONED_AFTER_MS) rmSync(left, { recursive: true, force: true });
  }
  const dataHome = mkdtempSync(join(parent, 'run-'));
  if (process.platform !== 'win32') chmodSync(dataHome, 0o711);
  return dataHome;
}

/** Asked before any database is wanted, so "root cannot run PostgreSQL" is not an error yet. */
function canTell<T>(ask: () => T): T | undefined {
  try {
    return ask();
  } catch {
    return undefined;
  }
}

function isWritable(folder: string): boolean {
  for (let at = folder; ; at = dirname(at)) {
    try {
      accessSync(at, constants.W_OK);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || at === dirname(at)) return false;
    }
  }
}

/**
 * Makes the data home if need be. Everyone may pass through it (the server may run as another
 * user), nobody may list it; the secrets in it are files of mode 0600.
 *
 * Throws EmbeddedPostgresError when the folder belongs to someone else: another user of the
 * machine could have put it there to be given our secrets.
 */
export function ensureDataHome(dataHome: string): void {
  makePassable(resolve(dataHome));
  if (process.platform === 'win32') return;
  const { uid } = lstatSync(dataHome);
  const me = process.getuid?.();
  if (me !== 0 && uid !== me) {
    throw new EmbeddedPostgresError(
      `${dataHome} belongs to another user (${uid}): start as that user, or set DATA_HOME to a folder of your own. ${USE_YOUR_OWN}`,
    );
  }
}

/**
 * Makes a folder of ours, and those above it that are missing, so that others may pass through:
 * whatever the umask says, and also when a kill came between making and opening it.
 */
export function makePassable(folder: string): void {
  const madeFrom = mkdirSync(folder, { recursive: true });
  if (process.platform === 'win32') return;
  for (let at = folder; madeFrom && at.length >= madeFrom.length; at = dirname(at)) {
    chmodSync(at, 0o711);
  }
  const { mode, uid } = statSync(folder);
  if ((mode & 0o111) !== 0o111 && uid === process.getuid?.()) chmodSync(folder, mode | 0o111);
}

/** Throws EmbeddedPostgresError when the server's user cannot reach the data home. */
export function assertReachable(dataHome: string): void {
  const account = serverAccount();
  const obstacle = obstacleFor(account, dataHome);
  if (!account || !obstacle) return;
  throw new EmbeddedPostgresError(
    `As root, the embedded PostgreSQL runs as user ${account.uid}, who may not enter ${obstacle}. ` +
      `Set DATA_HOME to a folder outside it, or allow it with: chmod o+x ${obstacle}. ${USE_YOUR_OWN}`,
  );
}
