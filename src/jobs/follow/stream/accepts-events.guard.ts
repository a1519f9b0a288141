import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { accepts } from '../../../platform/http/accepts-json.guard.js';
import { Problem } from '../../../platform/http/problem/problem.js';

/** Refuses a client that could read no stream of events. No `Accept` is fine. */
@Injectable()
export class AcceptsEvents implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { accept } = context.switchToHttp().getRequest<FastifyRequest>().headers;
    if (!accepts(accept, ['text/event-stream', 'text/*', '*/*'])) {
      throw new Problem('not-acceptable', 'Send Accept: text/event-stream, or no Accept at all.');
    }
    return true;
  }
}
