/** What a token says of itself. It is not verified here: the service does that. */
export interface TokenClaims {
  readonly sub?: unknown;
  readonly iss?: unknown;
  readonly exp?: unknown;
  readonly [claim: string]: unknown;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** @returns null when the token is no JWT; the service may take it nevertheless */
export function claimsOf(token: string): TokenClaims | null {
  try {
    const [, payload = ''] = token.split('.');
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
    return typeof claims === 'object' ? (claims as TokenClaims | null) : null;
  } catch {
    return null;
  }
}

/** When a token expires; null when it does not say. */
export function expiryOf(token: string): Date | null {
  const exp = claimsOf(token)?.exp;
  return typeof exp === 'number' ? new Date(exp * 1000) : null;
}

/** The organizations that a token grants, as far as its `orgs` say, which the service may call otherwise. */
export function organizationsOf(token: string): string[] {
  const orgs = claimsOf(token)?.orgs;
  return [orgs].flat().filter((org): org is string => typeof org === 'string' && UUID.test(org));
}
