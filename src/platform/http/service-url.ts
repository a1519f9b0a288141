import type { FastifyRequest } from 'fastify';
import type { Config } from '../config.js';

/**
 * The absolute address of the service's root, without a slash behind: `PUBLIC_URL` when it is set, else
 * the request's own scheme and host, as Fastify sees them (proxy headers count only when the proxy is
 * trusted).
 */
export function serviceUrl(
  request: Pick<FastifyRequest, 'protocol' | 'host'>,
  config: Pick<Config, 'PUBLIC_URL'>,
): string {
  const host = /^[\w.:[\]-]+$/.test(request.host) ? request.host : 'localhost';
  return config.PUBLIC_URL ?? `${request.protocol}://${host}`;
}
