import type { FastifyInstance, FastifyRequest } from 'fastify';
import { readTraceparent, writeTraceparent } from './traceparent.js';
import type { OpenSpan, Tracing } from './tracing.js';

const spans = new WeakMap<object, OpenSpan>();

/**
 * A span for each request that changes something, and for each that is part of somebody's trace. A poll that
 * nobody traces is none: they are thousands for each job.
 */
export function traceRequests(fastify: FastifyInstance, tracing: Tracing): void {
  if (!tracing.on) {
    return;
  }
  fastify.addHook('onRequest', (request, _reply, done) => {
    const { method } = request;
    const place = readTraceparent(request.headers.traceparent);
    if (place !== null || (method !== 'GET' && method !== 'HEAD' && method !== 'OPTIONS')) {
      const route = request.routeOptions.url ?? 'unknown';
      const span = tracing.start(`${method} ${route}`, {
        parent: place === null ? null : writeTraceparent(place),
        kind: 'server',
        attributes: { 'http.request.method': method, 'http.route': route },
      });
      spans.set(request, span);
    }
    done();
  });
  fastify.addHook('onResponse', (request, reply, done) => {
    const span = spans.get(request);
    if (span !== undefined) {
      const { statusCode } = reply;
      span.set({ 'http.response.status_code': statusCode });
      span.end(statusCode >= 500 ? `answered with ${statusCode}` : null);
    }
    done();
  });
}

/** The place of a request in its trace; null: it is part of none. */
export const traceparentOf = (request: FastifyRequest): string | null =>
  spans.get(request)?.traceparent ?? null;
