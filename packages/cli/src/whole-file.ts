import { randomBytes } from 'node:crypto';
import { lstat, open, realpath, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { CliError } from './cli-error.js';
import { EXIT } from './exit-code.js';

/**
 * Writes a file whole or not at all: beside its place first, then it is moved there. What is no file (a
 * device, a pipe) is written directly, and so is what a link leads to.
 * @param options the mode of a new file, and what can be done besides when it cannot be written
 * @throws CliError when it cannot be written; what was there before is still there then
 */
export async function writeWhole(
  file: string,
  text: string,
  { mode = 0o666, advice = '' }: { readonly mode?: number; readonly advice?: string } = {},
): Promise<void> {
  try {
    const place = await realpath(file).catch(() => file);
    const isFile = await lstat(place).then(
      (found) => found.isFile(),
      () => true,
    );
    if (!isFile) {
      await writeTo(place, text, 'w', mode);
      return;
    }
    const aside = path.join(
      path.dirname(place),
      `.${path.basename(place)}.${randomBytes(4).toString('hex')}.tmp`,
    );
    try {
      await writeTo(aside, text, 'wx', mode);
      await rename(aside, place);
    } catch (error) {
      await rm(aside, { force: true }).catch(() => undefined);
      throw error;
    }
  } catch (error) {
    throw new CliError(
      EXIT.failed,
      `${file} was not written: ${reasonOf(error)}.`,
      `${adviceOn(error)} ${advice}`.trim(),
    );
  }
}

async function writeTo(file: string, text: string, flags: string, mode: number): Promise<void> {
  const handle = await open(file, flags, mode);
  try {
    await handle.writeFile(text);
    // A disk may be found to be full only now.
    await handle.sync().catch(ignoreUnsyncable);
  } finally {
    await handle.close();
  }
}

/** Devices and pipes have nothing to sync. */
function ignoreUnsyncable(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EINVAL' && error.code !== 'ENOTSUP') throw error;
}

/** What went wrong with a file, for people. */
export function reasonOf(error: unknown): string {
  const code: string = (error as NodeJS.ErrnoException).code ?? '';
  switch (code) {
    case 'ENOSPC':
      return 'the disk is full';
    case 'EDQUOT':
      return 'your quota of the disk is used up';
    case 'EFBIG':
      return 'it would be too large';
    case 'EACCES':
    case 'EPERM':
      return 'you may not access it';
    case 'EROFS':
      return 'the disk can only be read';
    case 'ENOENT':
      return 'there is no such file or folder';
    case 'EISDIR':
      return 'it is a folder';
    case 'ENOTDIR':
      return 'a part of its path is no folder';
    default:
      return error instanceof Error ? error.message : String(error);
  }
}

function adviceOn(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOSPC' || code === 'EDQUOT'
    ? 'Free some space, or name a file elsewhere.'
    : 'Name another file, or make this one writable.';
}
