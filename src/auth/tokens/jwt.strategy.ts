import { Inject, Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import { Strategy } from 'passport-jwt';
import { CONFIG, type Config } from '../../platform/config.js';
import { bearerToken } from './bearer-token.js';
import type { Caller } from '../caller.js';
import { callerFromClaims, type Claims, CLOCK_TOLERANCE_SECONDS } from './claims.js';
import type { VerificationKey } from '../keys/verification-key.js';

/** Injection token of the {@link VerificationKey}. */
export const VERIFICATION_KEY = Symbol('VERIFICATION_KEY');

/** Verifies the bearer token: signature by an allowed algorithm, `exp`, `nbf`, issuer and audience. */
@Injectable()
export class JwtStrategy extends PassportStrategy(Strategy, 'jwt') {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(VERIFICATION_KEY) key: VerificationKey,
  ) {
    super({
      jwtFromRequest: bearerToken,
      secretOrKeyProvider: key.provider,
      algorithms: key.algorithms,
      issuer: config.AUTH_ISSUER,
      audience: config.AUTH_AUDIENCE,
      jsonWebTokenOptions: { clockTolerance: CLOCK_TOLERANCE_SECONDS },
    });
  }

  /** What passport-jwt accepts and should not: see {@link callerFromClaims}. */
  validate(claims: Claims): Caller | null {
    return callerFromClaims(claims, {
      organizations: this.config.AUTH_ORGS_CLAIM,
      scopes: this.config.AUTH_SCOPES_CLAIM,
      strict: this.config.AUTH_TOKEN_TYPE === 'at+jwt',
    });
  }
}
