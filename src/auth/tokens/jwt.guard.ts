import { type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { AuthGuard } from '@nestjs/passport';
import type { FastifyRequest } from 'fastify';
import { Problem } from '../../platform/http/problem/problem.js';
import { Public } from '../../platform/http/public.decorator.js';
import { AddressRates } from '../../platform/rate-limit/address-rates.js';
import { bearerToken } from './bearer-token.js';
import type { Caller } from '../caller.js';
import { VerifiedTokens } from './verified-tokens.js';

/** Who are you? 401 on every route that is not marked public. */
@Injectable()
export class JwtGuard extends AuthGuard('jwt') {
  private readonly verified = new VerifiedTokens();

  constructor(
    private readonly reflector: Reflector,
    private readonly addresses: AddressRates,
  ) {
    super();
  }

  override canActivate(context: ExecutionContext) {
    const isPublic = this.reflector.getAllAndOverride(Public, [
      context.getHandler(),
      context.getClass(),
    ]);
    if (isPublic === true) {
      return true;
    }
    const request = context.switchToHttp().getRequest<FastifyRequest & { user?: Caller }>();
    const token = bearerToken(request);
    const caller = token === null ? null : this.verified.callerOf(token);
    if (caller !== null) {
      request.user = caller;
      return true;
    }
    if (token === null) {
      return super.canActivate(context);
    }
    // Only what has to be verified: an address cannot shut out clients whose tokens are known.
    return this.addresses.verify(
      request.ip,
      async () => (await super.canActivate(context)) as boolean,
      (error) => error instanceof Problem && error.slug === 'unauthorized',
    );
  }

  /** Called by passport with what the strategy found. */
  override handleRequest<C = Caller>(
    error: unknown,
    caller: C | false,
    info: unknown,
    context: ExecutionContext,
  ): C {
    if (error instanceof Error) {
      throw error;
    }
    // A problem from the key provider means that the token cannot be judged now.
    if (info instanceof Problem) {
      throw info;
    }
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    if (!caller) {
      throw unauthorized(request);
    }
    this.verified.remember(bearerToken(request) as string, caller as unknown as Caller);
    return caller;
  }
}

/** RFC 6750, section 3: the challenge has an error code only when a token was presented. */
function unauthorized(request: FastifyRequest): Problem {
  const presented = /^bearer\s+\S/i.test(request.headers.authorization ?? '');
  return presented
    ? new Problem(
        'unauthorized',
        'The token is expired, not yet valid, forged, or not meant for this service: obtain a new one.',
        { headers: { 'www-authenticate': 'Bearer realm="headframe", error="invalid_token"' } },
      )
    : new Problem('unauthorized', 'Send the header Authorization: Bearer <token>.', {
        headers: { 'www-authenticate': 'Bearer realm="headframe"' },
      });
}
