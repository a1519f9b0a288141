import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { traceparentOf } from '../tracing/request-traces.js';
import { traceFields } from '../tracing/traceparent.js';

/**
 * One line for each request that changes something or is refused; polls and probes that go well are
 * told at level debug, or they would drown everything else. Headers, query strings and bodies are
 * never written: what is not named here stays out.
 */
export function logRequests(fastify: FastifyInstance, logger: Logger): void {
  fastify.addHook('onResponse', (request, reply, done) => {
    const { statusCode } = reply;
    const quiet = request.method === 'GET' && statusCode < 400;
    // What went wrong with a 5xx is said, once, where it was caught.
    logger[quiet ? 'debug' : statusCode >= 500 ? 'warn' : 'info'](
      {
        request: request.id,
        method: request.method,
        path: request.url.split('?', 1)[0],
        address: request.ip,
        status: statusCode,
        ms: Math.round(reply.elapsedTime),
        ...traceFields(traceparentOf(request)),
      },
      'request',
    );
    done();
  });
}
