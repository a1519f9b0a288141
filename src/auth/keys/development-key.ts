import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureDataHome } from '../../platform/database/embedded/embedded-postgres.js';
import { type Config, DEVELOPMENT_KEY_PREFIX, isIssuerAddress } from '../../platform/config.js';

/**
 * The secret of development tokens: made once, and kept in the data home for later starts and for
 * the `token` command.
 * @returns null when the configuration names another key, or in production
 */
export function developmentKey(config: Config, dataHome: string): string | null {
  if (
    config.NODE_ENV === 'production' ||
    config.AUTH_JWT_SECRET !== undefined ||
    config.AUTH_JWT_PUBLIC_KEY !== undefined ||
    config.AUTH_JWKS_URI !== undefined ||
    isIssuerAddress(config.AUTH_ISSUER)
  ) {
    return null;
  }
  ensureDataHome(dataHome);
  const file = join(dataHome, 'development.key');
  try {
    const key = DEVELOPMENT_KEY_PREFIX + randomBytes(32).toString('base64url');
    // `wx`: of two processes that start at once, one makes the key and both read it.
    writeFileSync(file, key, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
      throw error;
    }
  }
  return readFileSync(file, 'utf8');
}
