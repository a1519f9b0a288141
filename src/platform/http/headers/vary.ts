import type { FastifyReply } from 'fastify';

/**
 * Says that an answer depends on these headers of the request, beside those that are named already, as CORS does
 * with `Origin`.
 */
export const withVary = (reply: FastifyReply, ...headers: readonly string[]): FastifyReply =>
  reply.header('vary', [reply.getHeader('vary') ?? [], ...headers].flat().join(', '));
