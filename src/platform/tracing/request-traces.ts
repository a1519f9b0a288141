import type { FastifyInstance, FastifyRequest } from 'fastify';
import { readTraceparent, writeTraceparent } from './traceparent.js';
import type { OpenSpan, Tracing } from './tracing.js';

/** Where a request stands in its trace; without a span when nobody records it. */
interface TracedRequest {
  readonly traceparent: string;
  readonly span: OpenSpan | null;
}

const CHANGING = new Set(['POST', 'DELETE', 'PUT', 'PATCH']);

const traced = new WeakMap<object, TracedRequest>();

/**
 * A span for each request that changes something, and for each that is part of a trace that somebody records. A
 * poll that nobody traces is none: they are thousands for each job.
 */
export function traceRequests(fastify: FastifyInstance, tracing: Tracing): void {
  if (!tracing.on) {
    return;
  }
  fastify.addHook('onRequest', (request, _reply, done) => {
    const trace = traceOf(request, tracing);
    if (trace !== null) {
      traced.set(request, trace);
    }
    done();
  });
  fastify.addHook('onResponse', (request, reply, done) => {
    const span = traced.get(request)?.span ?? null;
    if (span !== null) {
      const { statusCode } = reply;
      span.set({ 'http.response.status_code': statusCode });
      span.end(statusCode >= 500 ? `answered with ${statusCode}` : null);
    }
    done();
  });
}

function traceOf(request: FastifyRequest, tracing: Tracing): TracedRequest | null {
  const { method } = request;
  const place = readTraceparent(request.headers.traceparent);
  if (place === null) {
    return CHANGING.has(method) && tracing.begins() ? recorded(request, tracing, null) : null;
  }
  return place.sampled && tracing.mayRecord()
    ? recorded(request, tracing, writeTraceparent(place))
    : { traceparent: writeTraceparent({ ...place, sampled: false }), span: null };
}

function recorded(request: FastifyRequest, tracing: Tracing, parent: string | null): TracedRequest {
  const { method } = request;
  const route = request.routeOptions.url ?? 'unknown';
  const span = tracing.start(`${method} ${route}`, {
    parent,
    kind: 'server',
    attributes: { 'http.request.method': method, 'http.route': route },
  });
  return { traceparent: span.traceparent, span };
}

/** The place of a request in its trace; null: it is part of none. */
export const traceparentOf = (request: FastifyRequest): string | null =>
  traced.get(request)?.traceparent ?? null;
