import type { FastifyRequest } from 'fastify';

/** What stands between commas, which a quoted string may have within it. */
const PREFERENCES = /(?:[^",]|"[^"]*")+/g;

/**
 * The seconds of `Prefer: wait=N` (RFC 7240, section 4.3): how long the client would rather wait than be told
 * that nothing has changed. Of two the first counts; one that is malformed is as good as none.
 * @returns null when the request does not say
 */
export function preferredWait({ headers }: Pick<FastifyRequest, 'headers'>): number | null {
  const { prefer = '' } = headers;
  for (const preference of [prefer].flat().join().match(PREFERENCES) ?? []) {
    // Parameters behind a semicolon are none of ours.
    const [name = '', value = ''] = (preference.split(';', 1)[0] as string).split('=', 2);
    if (name.trim().toLowerCase() === 'wait') {
      const seconds = value.trim().replace(/^"(.*)"$/, '$1');
      return /^\d+$/.test(seconds) ? Number(seconds) : null;
    }
  }
  return null;
}
