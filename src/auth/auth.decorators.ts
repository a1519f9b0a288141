import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import type { Scope } from './caller.js';

/** The scope that a route demands of the token. */
export const RequireScope = Reflector.createDecorator<Scope>();

/** The organization of the path, granted by the token: a lower-case UUID. */
export const Organization = createParamDecorator(
  (_data: unknown, context: ExecutionContext): string =>
    context.switchToHttp().getRequest<FastifyRequest<{ Params: { org_id: string } }>>().params
      .org_id,
);
