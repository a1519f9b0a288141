import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { acceptedFormat } from './accepted-format.js';
import type { Expositions } from './exposition.js';

/** Of a scraper; it has no body to send. */
const REQUEST_TIMEOUT_MS = 10_000;
const MAX_HEADER_BYTES = 8_192;
const MAX_CONNECTIONS = 64;

/** The address for scrapers, beside the one for clients. */
export interface MetricsServer {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Answers `GET /metrics` on a port of its own, until it is closed.
 * @throws what the operating system says of an address that cannot be had
 */
export async function serveMetrics(
  expositions: Expositions,
  port: number,
  host: string,
): Promise<MetricsServer> {
  const server = createServer(
    { maxHeaderSize: MAX_HEADER_BYTES, requestTimeout: REQUEST_TIMEOUT_MS },
    (request, response) => void answer(expositions, request, response),
  );
  server.maxConnections = MAX_CONNECTIONS;
  server.listen(port, host);
  await once(server, 'listening');
  const { address, family, port: taken } = server.address() as AddressInfo;
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${taken}/metrics`,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close').catch(() => undefined);
    },
  };
}

async function answer(
  expositions: Expositions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const refuse = (status: number, text: string): void => {
    response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', allow: 'GET, HEAD' });
    response.end(`${text}\n`);
  };
  const [path] = (request.url ?? '').split('?', 1);
  if (path !== '/metrics') {
    refuse(404, 'Only /metrics is here; the API has another port.');
    return;
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    refuse(405, 'Use GET.');
    return;
  }
  try {
    const { contentType, text } = await expositions.in(acceptedFormat(request.headers.accept));
    response.writeHead(200, { 'content-type': contentType, 'cache-control': 'no-store' });
    response.end(request.method === 'HEAD' ? undefined : text);
  } catch {
    refuse(500, 'The metrics could not be put together: the log says why.');
  }
}
