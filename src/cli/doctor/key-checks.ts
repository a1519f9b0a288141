import { keySetAt, keySetOfIssuer } from '../../auth/keys/key-set-source.js';
import { type Config, DEVELOPMENT_KEY_PREFIX, isIssuerAddress } from '../../platform/config.js';
import { attempt, bad, type Finding, good } from './finding.js';

/** Whether tokens can be verified; a worker verifies none. */
export async function checkKeys(config: Config): Promise<readonly Finding[]> {
  if (config.ROLE === 'worker') {
    return [good('keys', 'a worker needs none')];
  }
  return [...(await keyOf(config)), ...audienceOf(config)];
}

async function keyOf(config: Config): Promise<readonly Finding[]> {
  const { AUTH_JWT_SECRET: secret, AUTH_JWKS_URI: address, AUTH_ISSUER: issuer } = config;
  if (config.AUTH_JWT_PUBLIC_KEY !== undefined) {
    return [good('keys', 'a public key is set (AUTH_JWT_PUBLIC_KEY)')];
  }
  if (secret !== undefined) {
    const kind = secret.startsWith(DEVELOPMENT_KEY_PREFIX) ? 'development key' : 'shared secret';
    return [good('keys', `a ${kind} is set (AUTH_JWT_SECRET)`)];
  }
  if (address === undefined && !isIssuerAddress(issuer)) {
    return [good('keys', 'the development key of the data home')];
  }
  const source =
    address === undefined ? keySetOfIssuer(issuer as string) : keySetAt(new URL(address));
  const advice =
    'Tokens are refused with 503 until it answers: check AUTH_ISSUER or AUTH_JWKS_URI, and that this machine may connect there.';
  return attempt('keys', advice, async () => {
    const { keys } = await source.fetch();
    const usable = keys.filter(({ kty, use }) => (kty === 'RSA' || kty === 'EC') && use !== 'enc');
    const found = `${usable.length} keys to verify with, of ${keys.length}`;
    if (usable.length === 0) {
      return [
        bad('keys', 'fail', found, 'The provider must publish an RSA or EC key for signatures.'),
      ];
    }
    const plain = (address ?? issuer ?? '').startsWith('http://');
    return plain && config.NODE_ENV === 'production'
      ? [
          bad(
            'keys',
            'warn',
            `${found}, over http`,
            'Whoever is on the way could send other keys: use https.',
          ),
        ]
      : [good('keys', found)];
  });
}

const audienceOf = ({ AUTH_AUDIENCE, AUTH_JWT_SECRET, NODE_ENV }: Config): readonly Finding[] =>
  NODE_ENV !== 'production' || AUTH_AUDIENCE !== undefined || AUTH_JWT_SECRET !== undefined
    ? []
    : [
        bad(
          'audience',
          'warn',
          'AUTH_AUDIENCE is not set',
          'Tokens that the provider gave out for other applications are taken, too: set it to the audience of this service.',
        ),
      ];
