import { createSecretKey, randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import type { Config } from '../../platform/config.js';

/** What a token of our own says. */
export interface TokenContents {
  /** UUIDs, of any case. */
  readonly organizations: readonly string[];
  /** Separated by blanks, as they are called here. */
  readonly scope: string;
  readonly subject: string;
  /** Whom it is made for; told where tokens must tell it (RFC 9068). */
  readonly client: string;
  /** From now until it expires. */
  readonly seconds: number;
}

/** A token that this configuration accepts, signed with a shared secret: for development. */
export function signedToken(
  config: Config,
  secret: string,
  { organizations, scope, subject, client, seconds }: TokenContents,
): Promise<string> {
  const strict = config.AUTH_TOKEN_TYPE === 'at+jwt';
  const token = new SignJWT({
    [config.AUTH_ORGS_CLAIM]: organizations.map((org) => org.toLowerCase()),
    [config.AUTH_SCOPES_CLAIM]: scope,
    ...(strict && { client_id: client, jti: randomUUID() }),
  })
    .setProtectedHeader({ alg: 'HS256', typ: strict ? 'at+jwt' : 'JWT' })
    .setSubject(subject)
    .setIssuedAt()
    .setExpirationTime(new Date(Date.now() + seconds * 1_000));
  if (config.AUTH_ISSUER !== undefined) {
    token.setIssuer(config.AUTH_ISSUER);
  }
  if (config.AUTH_AUDIENCE !== undefined) {
    token.setAudience(config.AUTH_AUDIENCE);
  }
  return token.sign(createSecretKey(Buffer.from(secret)));
}
