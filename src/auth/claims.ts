import type { Caller } from './caller.js';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Clocks of the token's issuer and ours may differ by this much. */
export const CLOCK_TOLERANCE_SECONDS = 30;

/** Verified claims of a token. */
export type Claims = Readonly<Record<string, unknown>>;

/**
 * Reads a caller from verified claims.
 * @param orgsClaim name of the claim with the organizations; dots lead into objects, unless a claim
 *   of exactly that name exists (as URL-named claims have dots)
 * @returns null when the token has no `exp` (it would never end), or was issued in the future
 */
export function callerFromClaims(claims: Claims, orgsClaim: string): Caller | null {
  if (typeof claims.exp !== 'number' || isFromTheFuture(claims.iat)) {
    return null;
  }
  return {
    subject: typeof claims.sub === 'string' ? claims.sub : null,
    client: [claims.client_id, claims.azp].find((id) => typeof id === 'string') ?? null,
    organizations: new Set(
      stringsOf(valueAt(claims, orgsClaim))
        .filter((id) => UUID.test(id))
        .map((id) => id.toLowerCase()),
    ),
    scopes: new Set(stringsOf(claims.scope).flatMap((text) => text.split(' '))),
    expiresAt: claims.exp,
  };
}

/** A token that nobody can have issued yet; clocks may differ a little. */
const isFromTheFuture = (iat: unknown): boolean =>
  iat !== undefined && !(Number(iat) <= Date.now() / 1_000 + CLOCK_TOLERANCE_SECONDS);

function valueAt(claims: Claims, path: string): unknown {
  if (Object.hasOwn(claims, path)) {
    return claims[path];
  }
  return path
    .split('.')
    .reduce<unknown>(
      (value, key) =>
        typeof value === 'object' && value !== null && Object.hasOwn(value, key)
          ? (value as Claims)[key]
          : undefined,
      claims,
    );
}

const stringsOf = (value: unknown): string[] =>
  [value].flat().filter((item): item is string => typeof item === 'string');
