import { KeyObject } from 'node:crypto';
import { createRemoteJWKSet, decodeProtectedHeader, errors } from 'jose';
import type { SecretOrKeyProvider } from 'passport-jwt';
import { Problem } from '../platform/http/problem.js';

/** How long keys are believed without asking for them again. */
const CACHE_MS = 10 * 60_000;
/** Tokens with unknown key ids, of which anybody can make any number, cause no more fetches than this. */
const REFETCH_MS = 30_000;
const FETCH_TIMEOUT_MS = 5_000;

/** What says of a token that it is no good, in contrast to a key set that cannot be had. */
const REFUSALS = [
  errors.JWKSNoMatchingKey,
  errors.JWKSMultipleMatchingKeys,
  errors.JOSENotSupported,
  errors.JWSInvalid,
];

/**
 * Finds the key of a token in the key set (JWKS) at an address: by its key id and algorithm, fetched
 * when first needed. Gives Problem `unavailable` when the set cannot be fetched and the key is not
 * known already.
 */
export function keySetProvider(address: URL, algorithms: readonly string[]): SecretOrKeyProvider {
  const keySet = createRemoteJWKSet(address, {
    cacheMaxAge: CACHE_MS,
    cooldownDuration: REFETCH_MS,
    timeoutDuration: FETCH_TIMEOUT_MS,
  });

  async function keyOf(token: string): Promise<KeyObject> {
    const header = headerOf(token);
    // Nothing is fetched for a token that no key could make good.
    if (header?.alg === undefined || !algorithms.includes(header.alg)) {
      throw new errors.JWSInvalid('the token has no readable header, or another algorithm');
    }
    return KeyObject.from(await keySet(header));
  }

  return (_request, token: string, done) => {
    keyOf(token).then(
      // The types know only strings and buffers; jsonwebtoken takes key objects.
      (key) => done(null, key as unknown as Buffer),
      (error: unknown) => done(isRefusal(error) ? error : outage(error)),
    );
  };
}

function headerOf(token: string): ReturnType<typeof decodeProtectedHeader> | null {
  try {
    return decodeProtectedHeader(token);
  } catch {
    return null;
  }
}

const isRefusal = (error: unknown): boolean => REFUSALS.some((kind) => error instanceof kind);

const outage = (cause: unknown): Problem =>
  new Problem('unavailable', 'The keys of the token cannot be fetched: try again soon.', {
    cause,
    headers: { 'retry-after': '5' },
  });
