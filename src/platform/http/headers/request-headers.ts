import type { IncomingMessage } from 'node:http';
import { Problem } from '../problem/problem.js';

/** Most header lines of one request: real ones have some dozens. */
const MAX_HEADERS = 1_000;

/** Headers that must not come twice: Node keeps the first, a proxy before it may have judged the last. */
const SINGLE = ['host', 'authorization', 'content-type', 'idempotency-key'];

/** What is wrong with the headers of a request although its parser took them, or null. */
export function problemOfHeaders(request: IncomingMessage): Problem | null {
  const { rawHeaders } = request;
  if (rawHeaders.length > 2 * MAX_HEADERS) {
    return new Problem('header-fields-too-large', `Send at most ${MAX_HEADERS} headers.`);
  }
  const counts = new Map<string, number>();
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] as string).toLowerCase();
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const repeated = SINGLE.find((name) => (counts.get(name) ?? 0) > 1);
  if (repeated !== undefined) {
    return new Problem('malformed-request', `Send the header ${repeated} only once.`);
  }
  if (request.httpVersion === '1.1' && !counts.has('host')) {
    return new Problem('malformed-request', 'Send the header Host: HTTP/1.1 demands it.');
  }
  return null;
}
