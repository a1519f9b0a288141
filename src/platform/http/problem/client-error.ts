import { randomUUID } from 'node:crypto';
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { Problem, type ProblemSlug } from './problem.js';

const ANSWERS: Record<string, readonly [ProblemSlug, string]> = {
  HPE_HEADER_OVERFLOW: ['header-fields-too-large', 'Send less than 16 KiB of headers.'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: ['payload-too-large', 'Send chunks without long extensions.'],
  ERR_HTTP_REQUEST_TIMEOUT: [
    'request-timeout',
    'Send the headers of a request within 10 seconds, and all of it within 30.',
  ],
};

const NOT_IMPLEMENTED = [
  'not-implemented',
  'Use GET, POST or DELETE: no address here knows the method.',
] as const;

/** A well-formed request line with a method that the parser does not know (RFC 9110, section 9.1). */
function isUnknownMethod(error: NodeJS.ErrnoException): boolean {
  const { rawPacket, bytesParsed = 0 } = error as { rawPacket?: Buffer; bytesParsed?: number };
  if (error.code !== 'HPE_INVALID_METHOD' || rawPacket === undefined) {
    return false;
  }
  const text = rawPacket.toString('latin1');
  // The packet may begin with the end of an earlier request.
  const line = text.slice(text.lastIndexOf('\n', bytesParsed - 1) + 1);
  return /^[!#$%&'*+.^_`|~\w-]+ \S+ HTTP\/1\.[01]\r?\n/.test(line);
}

/** Answers what Node's HTTP parser refuses: there is no request yet, only a socket. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  // The answer to the request that is under way, if any: nothing may be written into its middle.
  const { _httpMessage: begun } = socket as { _httpMessage?: ServerResponse };
  if (error.code === 'ECONNRESET' || !socket.writable || begun?.headersSent) {
    socket.destroy();
    return;
  }
  const known = isUnknownMethod(error) ? NOT_IMPLEMENTED : ANSWERS[error.code ?? ''];
  const [slug, detail] = known ?? [
    'malformed-request',
    'The request is not valid HTTP/1.1: check its request line, headers and framing.',
  ];
  answerOnSocket(new Problem(slug, detail), socket);
}

/** Answers `CONNECT`, for which Node gives no response to answer with: this is no proxy. */
export function refuseTunnel(_request: IncomingMessage, socket: Socket): void {
  socket.on('error', () => socket.destroy());
  answerOnSocket(
    new Problem('method-not-allowed', 'This is not a proxy.', { headers: { allow: 'OPTIONS' } }),
    socket,
  );
}

/** Answers an `Expect` header that asks for something else than `100-continue`. */
export function refuseExpectation(_request: IncomingMessage, response: ServerResponse): void {
  const problem = new Problem(
    'expectation-failed',
    'Send Expect: 100-continue, or no Expect at all.',
  );
  const body = JSON.stringify(problem.body());
  response.writeHead(problem.status, headersOf(problem, body)).end(body);
}

function answerOnSocket(problem: Problem, socket: Socket): void {
  const body = JSON.stringify(problem.body());
  const headers = Object.entries(headersOf(problem, body)).map(
    ([name, value]) => `${name}: ${value}`,
  );
  socket.write(
    [`HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}`, ...headers, '', body].join(
      '\r\n',
    ),
  );
  // The client may be in the middle of sending.
  socket.destroySoon();
}

const headersOf = (problem: Problem, body: string): Record<string, string> => ({
  ...problem.extra.headers,
  'content-type': 'application/problem+json',
  'content-length': String(Buffer.byteLength(body)),
  'x-request-id': randomUUID(),
  connection: 'close',
});
