import type { FastifyInstance, FastifyReply } from 'fastify';
import { type Metrics, QUICK_SECONDS } from './metrics.js';
import type { Count, Spread } from './series.js';

/** Beside those of HTTP there are as many as clients make up. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'DELETE', 'OPTIONS', 'PUT', 'PATCH']);

/** Counts the requests that were answered, by the routes as they are written, never by their paths. */
export function measureRequests(fastify: FastifyInstance, metrics: Metrics): void {
  const answered = metrics.counter({
    name: 'headframe_http_requests_total',
    help: 'Requests answered, by route, method and status.',
    labels: ['method', 'route', 'status'],
  });
  const durations = metrics.histogram(
    {
      name: 'headframe_http_request_duration_seconds',
      help: 'From the head of a request to the end of its answer; without event streams, and without answers that were held back because the client asked for it.',
      labels: ['method', 'route'],
    },
    QUICK_SECONDS,
  );
  if (!metrics.on) {
    return;
  }
  const known = new Map<string, { readonly answers: Count; readonly times: Spread }>();
  fastify.addHook('onResponse', (request, reply, done) => {
    const method = METHODS.has(request.method) ? request.method : 'other';
    const route = request.routeOptions.url ?? 'unknown';
    const { statusCode } = reply;
    const key = `${statusCode} ${method} ${route}`;
    let series = known.get(key);
    if (series === undefined) {
      const answers = answered.of(method, route, String(statusCode));
      series = { answers, times: durations.of(method, route) };
      known.set(key, series);
    }
    series.answers.add();
    if (!isHeldOpen(reply)) {
      series.times.observe(reply.elapsedTime / 1_000);
    }
    done();
  });
}

/** It takes as long as the client likes. */
function isHeldOpen(reply: FastifyReply): boolean {
  const type = reply.getHeader('content-type');
  return (
    reply.hasHeader('preference-applied') ||
    (typeof type === 'string' && type.startsWith('text/event-stream'))
  );
}
