import { decodeProtectedHeader, errors } from 'jose';

export type TokenHeader = ReturnType<typeof decodeProtectedHeader>;

/** Media types of access tokens (RFC 9068), and what providers send that do not follow it. */
const ACCESS_TOKEN = /^(application\/)?at\+jwt$/i;
const PLAIN = /^(application\/)?jwt$/i;

/**
 * Reads the header of a token, and refuses what no key could make good: another algorithm, another kind
 * of token, or extensions that must be understood (`crit`, RFC 7515) and are not. The keys that a header
 * may bring along (`jwk`, `jku`, `x5c`, `x5u`) are never looked at.
 * @param strict whether `typ` must be that of an access token (RFC 9068)
 * @throws a JOSEError
 */
export function tokenHeader(
  token: string,
  algorithms: readonly string[],
  strict: boolean,
): TokenHeader {
  let header: TokenHeader;
  try {
    header = decodeProtectedHeader(token);
  } catch (cause) {
    throw new errors.JWSInvalid('the token has no readable header', { cause });
  }
  if (header.alg === undefined || !algorithms.includes(header.alg)) {
    throw new errors.JOSENotSupported('the token is signed with another algorithm');
  }
  if (header.crit !== undefined || header.b64 !== undefined) {
    throw new errors.JOSENotSupported('the token demands extensions');
  }
  const type: unknown = header.typ;
  const isAccessToken = typeof type === 'string' && ACCESS_TOKEN.test(type);
  const isPlain = type === undefined || (typeof type === 'string' && PLAIN.test(type));
  if (!isAccessToken && (strict || !isPlain)) {
    throw new errors.JWSInvalid('the token is of another type');
  }
  return header;
}
