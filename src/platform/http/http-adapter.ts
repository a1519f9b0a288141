import { randomUUID } from 'node:crypto';
import { type IncomingMessage, METHODS } from 'node:http';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AllowedMethods } from './paths/allowed-methods.js';
import { answerClientError, refuseExpectation, refuseTunnel } from './problem/client-error.js';
import type { SchemaState } from '../database/schema/schema-state.js';
import type { Draining } from './connections/draining.js';
import { holdContinue } from './body/expect-continue.js';
import { LingeringConnections } from './connections/lingering-close.js';
import { Problem } from './problem/problem.js';
import { schemaUnfit, sendProblem, toProblem } from './problem.filter.js';
import { problemOfHeaders } from './headers/request-headers.js';

/** Idle connections stay open longer than the 15 s pools and 60 s proxies of the clients. */
const KEEP_ALIVE_MS = 75_000;
/** A request that has not arrived whole by then is a slow client or an attack. */
const REQUEST_TIMEOUT_MS = 30_000;
/** Then a connection is closed, so that a balancer spreads the clients anew. */
const MAX_REQUESTS_PER_SOCKET = 10_000;
/** All headers of a request together; the path counts among them. */
const MAX_HEADER_BYTES = 16_384;

/** What the service needs of Fastify beside Nest's own adapter. */
export interface HttpAdapter {
  readonly adapter: FastifyAdapter;
  readonly allowedMethods: AllowedMethods;
}

/**
 * Makes the HTTP server: request ids, problem documents for what fails before a route is reached,
 * bodies left unread (the routes that want one read it after their guards, see `JsonBody`), and 503
 * while the process drains, or the database's schema does not fit.
 */
export function createHttpAdapter(options: {
  /** How many proxies in front are believed. */
  readonly trustProxy: number | false;
  readonly maxConnections: number;
  readonly draining: Draining;
  readonly schema: SchemaState;
}): HttpAdapter {
  const { trustProxy: proxies } = options;
  const adapter = new FastifyAdapter({
    trustProxy: proxies === false ? false : (_address: string, hop: number) => hop < proxies,
    genReqId: requestId,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    maxRequestsPerSocket: MAX_REQUESTS_PER_SOCKET,
    forceCloseConnections: 'idle',
    // Also a path with an absurd segment belongs to the route that judges its token first.
    routerOptions: { maxParamLength: MAX_HEADER_BYTES },
    http: {
      headersTimeout: 10_000,
      connectionsCheckingInterval: 5_000,
      maxHeaderSize: MAX_HEADER_BYTES,
      // Node's own answer to a missing Host is no problem document: `problemOfHeaders` gives one.
      requireHostHeader: false,
    },
    clientErrorHandler: answerClientError,
    frameworkErrors: (error: FastifyError, _request: FastifyRequest, reply: FastifyReply) => {
      // Fastify's own words for a bad path would repeat it.
      sendProblem(
        reply,
        error.statusCode === 400
          ? new Problem('malformed-request', 'The path has a broken percent-encoding: correct it.')
          : toProblem(error),
      );
    },
  });
  const fastify = adapter.getInstance();
  // Else Node silently drops what follows the two thousandth, which may be the token.
  fastify.server.maxHeadersCount = 0;
  fastify.server.maxConnections = options.maxConnections;
  holdContinue(fastify.server);
  const lingering = new LingeringConnections();
  lingering.watch(fastify.server);
  fastify.addHook('preClose', (done) => {
    lingering.closeAll();
    done();
  });
  fastify.server.on('checkExpectation', refuseExpectation);
  fastify.server.on('connect', refuseTunnel);
  const allowedMethods = new AllowedMethods();
  fastify.addHook('onRoute', (route) => {
    allowedMethods.add(route.method, route.url);
  });
  fastify.addHook('onRequest', (request, reply, done) => {
    void reply.header('x-request-id', request.id);
    if (options.draining.active && !request.url.startsWith('/health/')) {
      sendProblem(
        reply.header('connection', 'close'),
        new Problem('unavailable', 'This replica is shutting down: try again.', {
          headers: { 'retry-after': '1' },
        }),
      );
      return;
    }
    if (options.schema.fault !== null && !request.url.startsWith('/health/')) {
      sendProblem(reply, schemaUnfit());
      return;
    }
    const problem = problemOfHeaders(request.raw);
    if (problem !== null) {
      sendProblem(reply, problem);
      return;
    }
    done();
  });
  routeEveryMethod(fastify as unknown as FastifyInstance);
  leaveBodiesUnread(fastify as unknown as FastifyInstance);
  return { adapter, allowedMethods };
}

/** What Fastify does not know would pass by the guards, and by the 405. */
function routeEveryMethod(fastify: FastifyInstance): void {
  for (const method of METHODS) {
    if (method !== 'CONNECT' && !fastify.supportedMethods.includes(method)) {
      fastify.addHttpMethod(method, { hasBody: true });
    }
  }
}

/** `type/subtype` with or without parameters, of tokens as RFC 9110 has them (section 5.6.2). */
const MEDIA_TYPE = /^\s*[\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+\s*(;.*)?$/s;

function leaveBodiesUnread(fastify: FastifyInstance): void {
  // Fastify would refuse a Content-Type that is none before the guards, even where no body is wanted:
  // it is taken for bytes of an unknown kind (RFC 9110, section 8.3), which the routes then refuse.
  fastify.addHook('onRequest', (request, _reply, done) => {
    const type = request.headers['content-type'];
    if (type !== undefined && !MEDIA_TYPE.test(type)) {
      request.raw.headers['content-type'] = 'application/octet-stream';
    }
    done();
  });
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('*', (_request, _payload, done) => {
    done(null, undefined);
  });
}

/** The caller's `X-Request-Id` when it is well-formed (1–128 of letters, digits, `._-`), else a new one. */
function requestId(request: IncomingMessage | { headers: IncomingMessage['headers'] }): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && /^[\w.-]{1,128}$/.test(given) ? given : randomUUID();
}
