/** The embedded server could not be made to run. The message says what to do next. */
export class EmbeddedPostgresError extends Error {
  override name = 'EmbeddedPostgresError';
}

/** Ends every message for which a server of one's own is a way out. */
export const USE_YOUR_OWN =
  'Or set DATABASE_URL to a PostgreSQL server of your own; the embedded one is then not used.';

/**
 * Turns the operating system's refusals that a person can cure into sentences.
 * Anything else is passed on as it is.
 *
 * @param error what was thrown while files were written or a program was started
 * @param folder where that happened
 */
export function explain(error: unknown, folder: string): unknown {
  if (error instanceof EmbeddedPostgresError) return error;
  const { code, syscall } = (error ?? {}) as NodeJS.ErrnoException;
  if (code === 'ENOENT' && syscall?.startsWith('spawn')) {
    return new EmbeddedPostgresError(
      `This system cannot run the embedded PostgreSQL, whose programs want glibc (Alpine Linux has musl). ${USE_YOUR_OWN}`,
      { cause: error },
    );
  }
  if (code === 'ENOSPC' || code === 'EDQUOT' || /no space left on device/i.test(String(error))) {
    return new EmbeddedPostgresError(
      `The disk that holds ${folder} is full: the embedded PostgreSQL needs about 150 MB. ` +
        `Free some space, or set DATA_HOME to a folder on another disk. ${USE_YOUR_OWN}`,
      { cause: error },
    );
  }
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return new EmbeddedPostgresError(
      `The embedded PostgreSQL may not use ${folder} (${(error as Error).message}). ` +
        `If another user made it, start as that user or remove it; if its disk is read-only or mounted noexec, ` +
        `set DATA_HOME to another folder. ${USE_YOUR_OWN}`,
      { cause: error },
    );
  }
  return error;
}
