import type { FastifyRequest } from 'fastify';
import { Problem } from '../platform/http/problem/problem.js';

/** Set by the console's own script: no form, link or image of another page can send it. */
const OWN_HEADER = 'x-headframe-console';

/**
 * Lets only the console's own page through. A page of another site can make a browser send a request,
 * though it may not read the answer: it cannot set the header without a preflight, which is never
 * granted for it, and browsers say by `Sec-Fetch-Site` and `Origin` where a request comes from.
 * @throws Problem `forbidden`
 */
export function refuseOtherPages({ headers }: FastifyRequest): void {
  const { origin, host } = headers;
  const isOwn =
    headers[OWN_HEADER] === '1' &&
    headers['sec-fetch-site'] === 'same-origin' &&
    origin !== undefined &&
    URL.canParse(origin) &&
    new URL(origin).host === host;
  if (!isOwn) {
    throw new Problem(
      'forbidden',
      'Only the page of the console may ask for this: open /console in a browser.',
    );
  }
}
