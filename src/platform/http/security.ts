import type { IncomingMessage, ServerResponse } from 'node:http';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import helmet from 'helmet';
import type { Config } from '../config.js';
import { allowOrigins } from './cors.js';

/** Security headers on every answer, and CORS for the configured origins only. */
export function applySecurity(
  app: NestFastifyApplication,
  config: Pick<Config, 'CORS_ORIGINS'>,
): void {
  const headers = securityHeaders();
  const fastify = app.getHttpAdapter().getInstance() as unknown as FastifyInstance;
  fastify.addHook('onRequest', (_request, reply, done) => {
    void reply.headers(headers);
    done();
  });
  if (config.CORS_ORIGINS.length > 0) {
    allowOrigins(fastify, config.CORS_ORIGINS);
  }
}

/**
 * What helmet would set. It is asked once, since its answer never changes: asked for each request it
 * would cost more than all the rest of a status poll together.
 */
function securityHeaders(): Record<string, string> {
  const headers: Record<string, string> = {};
  const response = {
    setHeader: (name: string, value: string) => {
      headers[name.toLowerCase()] = value;
    },
    removeHeader: () => undefined,
  };
  helmet({
    contentSecurityPolicy: {
      directives: {
        // Swagger UI draws with these, and must stay usable over plain http.
        'img-src': ["'self'", 'data:'],
        'upgrade-insecure-requests': null,
      },
    },
    strictTransportSecurity: false,
  })({} as IncomingMessage, response as unknown as ServerResponse, () => undefined);
  return headers;
}
