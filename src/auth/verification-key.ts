import { createPublicKey, createSecretKey, type KeyObject } from 'node:crypto';
import type { SecretOrKeyProvider, StrategyOptionsWithoutRequest } from 'passport-jwt';
import { type Config, ConfigError } from '../platform/config.js';
import { keySetProvider } from './key-set.js';

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
  if (config.AUTH_JWKS_URI !== undefined) {
    return {
      algorithms: [...RSA, ...EC],
      provider: keySetProvider(new URL(config.AUTH_JWKS_URI), [...RSA, ...EC]),
    };
  }
  if (config.AUTH_JWT_PUBLIC_KEY !== undefined) {
    const key = createPublicKey(config.AUTH_JWT_PUBLIC_KEY);
    return fixed(key, key.asymmetricKeyType === 'ec' ? EC : RSA);
  }
  const secret = config.AUTH_JWT_SECRET ?? developmentKey;
  if (secret === null) {
    throw new ConfigError('Set AUTH_JWKS_URI, AUTH_JWT_PUBLIC_KEY or AUTH_JWT_SECRET.');
  }
  // A KeyObject: with a string, each verification would build one anew (45 times slower).
  return fixed(createSecretKey(Buffer.from(secret)), HMAC);
}

function fixed(key: KeyObject, algorithms: Algorithm[]): VerificationKey {
  return {
    algorithms,
    provider: (_request, _token, done) => {
      // The types know only strings and buffers; jsonwebtoken takes key objects.
      done(null, key as unknown as Buffer);
    },
  };
}
