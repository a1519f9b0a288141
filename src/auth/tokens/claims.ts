import { UUID_ANY_CASE } from '../../platform/ids/uuid.js';
import type { Caller } from '../caller.js';
import { cutText } from '../../platform/text/cut-text.js';

/** Clocks of the token's issuer and ours may differ by this much. */
export const CLOCK_TOLERANCE_SECONDS = 30;

/** Verified claims of a token. */
export type Claims = Readonly<Record<string, unknown>>;

/** Where a provider puts what the service wants to know. */
export interface ClaimNames {
  /** The claim with the organizations. */
  readonly organizations: string;
  /** The claim with the scopes. */
  readonly scopes: string;
  /** Whether all must be there that RFC 9068, section 2.2 demands of access tokens. */
  readonly strict: boolean;
}

/** What of RFC 9068's claims is not demanded of every token, or checked by the verifier. */
const ACCESS_TOKEN_CLAIMS = ['client_id', 'iat', 'jti', 'iss', 'aud'];
/**
 * What only ID tokens have (OpenID Connect Core 1.0, section 3.3.2.11), which are for clients. `nonce`
 * is not among them: some providers put it into access tokens.
 */
const ID_TOKEN_CLAIMS = ['at_hash', 'c_hash'];

/**
 * Reads a caller from verified claims. Dots in the name of a claim lead into objects, unless a claim of
 * exactly that name exists (as URL-named claims have dots).
 * @returns null for a token that never ends, has no subject, was issued in the future, or is no access token
 */
export function callerFromClaims(claims: Claims, names: ClaimNames): Caller | null {
  const { exp, sub } = claims;
  if (typeof exp !== 'number' || typeof sub !== 'string' || sub === '') {
    return null;
  }
  if (
    isFromTheFuture(claims.iat) ||
    ID_TOKEN_CLAIMS.some((name) => claims[name] !== undefined) ||
    (names.strict && ACCESS_TOKEN_CLAIMS.some((name) => claims[name] === undefined))
  ) {
    return null;
  }
  const clients = stringsOf([claims.client_id, claims.azp]);
  return {
    subject: storable(sub),
    client: clients[0] === undefined ? null : storable(clients[0]),
    organizations: new Set(
      stringsOf(valueAt(claims, names.organizations))
        .filter((id) => UUID_ANY_CASE.test(id))
        .map((id) => id.toLowerCase()),
    ),
    scopes: new Set(stringsOf(valueAt(claims, names.scopes)).flatMap((text) => text.split(' '))),
    expiresAt: exp,
  };
}

/** Most characters of a name that a token gives. */
const MAX_CHARACTERS = 256;

/** Tokens may say what the database cannot keep: U+0000, lone surrogates, or a book. */
const storable = (text: string): string =>
  cutText(text, MAX_CHARACTERS)
    .replaceAll('\u0000', '\uFFFD')
    .replaceAll(/\p{Surrogate}/gu, '\uFFFD');

/** A token from the future; clocks may differ a little. */
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
