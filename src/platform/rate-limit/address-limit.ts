import type { FastifyInstance, FastifyReply } from 'fastify';
import { sendProblem, toProblem } from '../http/problem.filter.js';
import type { RateLimits } from './rate-limits.js';

/**
 * Counts all requests of an address, before anything else is done with them, if there is such a limit.
 * Probes of orchestrators are not counted.
 */
export function limitAddresses(fastify: FastifyInstance, limits: RateLimits): void {
  if (!limits.limitsAddresses) {
    return;
  }
  fastify.addHook('onRequest', (request, reply, done) => {
    if (request.url.startsWith('/health/')) {
      done();
      return;
    }
    settle(reply, () => limits.admitAddress(request.ip), done);
  });
}

function settle(reply: FastifyReply, admit: () => void | Promise<void>, done: () => void): void {
  const refuse = (error: unknown): void => {
    sendProblem(reply, toProblem(error));
  };
  try {
    const late = admit();
    if (late instanceof Promise) {
      late.then(done, refuse);
    } else {
      done();
    }
  } catch (error) {
    refuse(error);
  }
}
