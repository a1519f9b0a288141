import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** A build that was abandoned (its process was killed) is swept away after this time. */
const ABANDONED_AFTER_MS = 60 * 60 * 1000;

/**
 * Makes a directory that is either complete or not there.
 *
 * It is built under another name and renamed when ready, so a kill half-way leaves only a
 * leftover, never a half-made directory. Several processes may do this at the same time without
 * a lock: the first rename wins and the others throw their copy away.
 *
 * @returns true when this call made it, false when it was there already
 */
export async function makeWhole(
  target: string,
  build: (directory: string) => Promise<void>,
): Promise<boolean> {
  if (await exists(target)) return false;
  await sweepAbandoned(target);
  const draft = `${target}.${process.pid}-${randomBytes(4).toString('hex')}.draft`;
  try {
    await mkdir(draft);
    await chmod(draft, 0o711);
    await build(draft);
    await rename(draft, target);
    return true;
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    if (await exists(target)) return false;
    throw error;
  }
}

async function sweepAbandoned(target: string): Promise<void> {
  const parent = dirname(target);
  for (const name of await readdir(parent)) {
    if (!name.startsWith(`${basename(target)}.`) || !name.endsWith('.draft')) continue;
    const draft = join(parent, name);
    const age = await stat(draft).then(
      (found) => Date.now() - found.mtimeMs,
      () => 0,
    );
    if (age > ABANDONED_AFTER_MS) await rm(draft, { recursive: true, force: true });
  }
}

/** Whether something is at that path. */
export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
