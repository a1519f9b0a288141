import type { IncomingHttpHeaders } from 'node:http';

/** The token of the `Authorization` header (RFC 6750, section 2.1), or null. No other place counts. */
export function bearerToken(request: { readonly headers: IncomingHttpHeaders }): string | null {
  return /^bearer +([\w.~+/-]+=*)$/i.exec(request.headers.authorization ?? '')?.[1] ?? null;
}
