import type { FastifyInstance, FastifyReply } from 'fastify';
import { sendProblem, toProblem } from '../http/problem.filter.js';
import type { AddressRates } from './address-rates.js';

/**
 * Counts all requests of an address, before anything else is done with them, if there is such a limit.
 * Probes of orchestrators are not counted.
 */
export function limitAddresses(fastify: FastifyInstance, rates: AddressRates): void {
  if (!rates.counted) {
    return;
  }
  fastify.addHook('onRequest', (request, reply, done) => {
    if (request.url.startsWith('/health/')) {
      done();
      return;
    }
    settle(reply, () => rates.admit(request.ip), done);
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
