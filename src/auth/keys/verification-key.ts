import { createPublicKey, createSecretKey, type KeyObject } from 'node:crypto';
import type { SecretOrKeyProvider, StrategyOptionsWithoutRequest } from 'passport-jwt';
import { type Config, ConfigError } from '../../platform/config.js';
import { KeySet } from './key-set.js';
import { keySetAt, keySetOfIssuer } from './key-set-source.js';
import { type TokenHeader, tokenHeader } from './token-header.js';

type Algorithm = NonNullable<StrategyOptionsWithoutRequest['algorithms']>[number];

/**
 * The key that tokens are verified with, and the only algorithms it may be used with. The list
 * follows from the kind of key, so that a public key is never taken for a shared secret.
 */
export interface VerificationKey {
  readonly algorithms: Algorithm[];
  readonly provider: SecretOrKeyProvider;
}

const HMAC: Algorithm[] = ['HS256', 'HS384', 'HS512'];
const RSA: Algorithm[] = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'];
const EC: Algorithm[] = ['ES256', 'ES384', 'ES512'];

/** @throws ConfigError when there is no key at all */
export function verificationKey(config: Config, developmentKey: string | null): VerificationKey {
  const strict = config.AUTH_TOKEN_TYPE === 'at+jwt';
  if (config.AUTH_JWT_PUBLIC_KEY !== undefined) {
    const key = createPublicKey(config.AUTH_JWT_PUBLIC_KEY);
    return checked(key.asymmetricKeyType === 'ec' ? EC : RSA, strict, async () => key);
  }
  const secret = config.AUTH_JWT_SECRET ?? developmentKey;
  if (secret !== null) {
    // A KeyObject: with a string, each verification would build one anew (45 times slower).
    const key = createSecretKey(Buffer.from(secret));
    return checked(HMAC, strict, async () => key);
  }
  const keySet = new KeySet(sourceOf(config));
  return checked([...RSA, ...EC], strict, (header) => keySet.keyOf(header));
}

/** For a replica that serves no clients, and so knows no secret: it takes no token. */
export const NO_KEY: VerificationKey = {
  algorithms: [],
  provider: (_request, _token, done) => done(new Error('This replica takes no tokens.')),
};

function sourceOf({ AUTH_JWKS_URI, AUTH_ISSUER }: Config) {
  if (AUTH_JWKS_URI !== undefined) {
    return keySetAt(new URL(AUTH_JWKS_URI));
  }
  if (AUTH_ISSUER !== undefined && URL.canParse(AUTH_ISSUER)) {
    return keySetOfIssuer(AUTH_ISSUER);
  }
  throw new ConfigError(
    'Set AUTH_ISSUER (the address of an identity provider), AUTH_JWKS_URI, AUTH_JWT_PUBLIC_KEY or AUTH_JWT_SECRET.',
  );
}

/** A key for tokens whose header is in order: for others no key is looked for. */
function checked(
  algorithms: Algorithm[],
  strict: boolean,
  keyOf: (header: TokenHeader) => Promise<KeyObject>,
): VerificationKey {
  const find = async (token: string) => keyOf(tokenHeader(token, algorithms, strict));
  return {
    algorithms,
    provider: (_request, token: string, done) => {
      find(token).then(
        // The types know only strings and buffers; jsonwebtoken takes key objects.
        (key) => done(null, key as unknown as Buffer),
        // A problem means that the token cannot be judged now; any other error, that it is invalid.
        (error: unknown) => done(error as Error),
      );
    },
  };
}
