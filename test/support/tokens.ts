import { createSecretKey } from 'node:crypto';
import { type JWTPayload, SignJWT } from 'jose';

/** The secret that services under test verify with. */
export const TEST_SECRET = 'a-secret-that-only-tests-use-0123456789';

export interface TokenOptions {
  readonly scope?: string;
  /** Seconds from now. */
  readonly expiresIn?: number;
  readonly claims?: JWTPayload;
}

/** A good token for the given organizations, unless the options say otherwise. */
export function token(
  organizations: string | readonly string[],
  options: TokenOptions = {},
): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  return new SignJWT({
    sub: 'tester',
    orgs: organizations as string | string[],
    scope: options.scope ?? 'compute:read compute:execute',
    iat: now,
    exp: now + (options.expiresIn ?? 3600),
    ...options.claims,
  })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(createSecretKey(Buffer.from(TEST_SECRET)));
}
