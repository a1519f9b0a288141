import { applyDecorators, createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { ApiSecurity } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import type { Scope } from './caller.js';

/** Name of the way to authenticate in the OpenAPI document. */
export const BEARER = 'bearer';

/** The scope of a route; see {@link RequireScope}. */
export const RouteScope = Reflector.createDecorator<Scope>();

/** The scope that a route demands of the token, which the OpenAPI document shows as well. */
export const RequireScope = (scope: Scope) =>
  applyDecorators(RouteScope(scope), ApiSecurity(BEARER, [scope]));

/** The organization of the path, granted by the token: a lower-case UUID. */
export const Organization = createParamDecorator(
  (_data: unknown, context: ExecutionContext): string =>
    context.switchToHttp().getRequest<FastifyRequest<{ Params: { org_id: string } }>>().params
      .org_id,
);
