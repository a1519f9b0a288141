import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { Problem } from './problem/problem.js';

/** Refuses a client that could not read any answer, not even a problem. No `Accept` is fine. */
@Injectable()
export class AcceptsJson implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { accept } = context.switchToHttp().getRequest<FastifyRequest>().headers;
    if (
      !accepts(accept, ['application/json', 'application/problem+json', 'application/*', '*/*'])
    ) {
      throw new Problem('not-acceptable', 'Send Accept: application/json, or no Accept at all.');
    }
    return true;
  }
}

/**
 * Content negotiation for one representation (RFC 9110, section 12.5.1): the most specific range decides.
 * @param types ranges that the representation is in, the most specific first
 */
export function accepts(accept: string | undefined, types: readonly string[]): boolean {
  if (accept === undefined || accept.trim() === '') {
    return true;
  }
  const ranges = accept.split(',').map((range) => {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    const quality = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
    return { type, refused: quality !== undefined && Number(quality) === 0 };
  });
  const deciding = types
    .map((type) => ranges.find((range) => range.type === type))
    .find((range) => range !== undefined);
  return deciding !== undefined && !deciding.refused;
}
