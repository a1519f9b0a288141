import type { FastifyInstance } from 'fastify';

const METHODS = 'GET, POST, DELETE';
const REQUEST_HEADERS = [
  'Authorization',
  'Content-Type',
  'API-Preview',
  'Evo-SDK-Source',
  'Idempotency-Key',
  'Prefer',
  'Last-Event-ID',
  'X-Request-Id',
].join(', ');
const RESPONSE_HEADERS =
  'Location, Preference-Applied, RateLimit, RateLimit-Policy, Retry-After, X-Request-Id';
const PREFLIGHT_SECONDS = '3600';

/**
 * Lets the browsers of the given origins in (Fetch standard, CORS protocol): preflights are answered
 * before the guards, since they carry no token, and every other answer, refusals included, says that
 * its origin may read it. Other origins see nothing of this.
 *
 * @fastify/cors would register a route for `OPTIONS *`, which is taken: every path has an answer to
 * every method here.
 * @param origins as browsers send them; `*` for any
 */
export function allowOrigins(fastify: FastifyInstance, origins: readonly string[]): void {
  const any = origins.includes('*');
  fastify.addHook('onRequest', (request, reply, done) => {
    const { origin } = request.headers;
    if (!any) {
      void reply.header('vary', 'Origin');
    }
    if (origin === undefined || !(any || origins.includes(origin))) {
      done();
      return;
    }
    void reply.headers({
      'access-control-allow-origin': any ? '*' : origin,
      'access-control-expose-headers': RESPONSE_HEADERS,
    });
    if (
      request.method === 'OPTIONS' &&
      request.headers['access-control-request-method'] !== undefined
    ) {
      void reply
        .status(204)
        .headers({
          'access-control-allow-methods': METHODS,
          'access-control-allow-headers': REQUEST_HEADERS,
          'access-control-max-age': PREFLIGHT_SECONDS,
        })
        .send();
      return;
    }
    done();
  });
}
