import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { traceparentOf } from '../platform/tracing/request-traces.js';
import type { Caller } from './caller.js';

/** Who does something, as the audit log tells it. */
export interface Actor {
  /** The token's `sub`. */
  readonly subject: string | null;
  /** The application that the token was given to. */
  readonly client: string | null;
  /** Where the request came from: its socket, or what a trusted proxy says. */
  readonly address: string;
  /** As in `X-Request-Id` and in the log. */
  readonly requestId: string;
  /** The request's place in its trace; null: it is part of none, or nobody traces. */
  readonly traceparent: string | null;
}

/** Who makes the request. */
export const ActorOf = createParamDecorator((_data: unknown, context: ExecutionContext): Actor => {
  const request = context.switchToHttp().getRequest<FastifyRequest & { readonly user: Caller }>();
  const { user, ip, id } = request;
  return {
    subject: user.subject,
    client: user.client,
    address: ip,
    requestId: id,
    traceparent: traceparentOf(request),
  };
});
