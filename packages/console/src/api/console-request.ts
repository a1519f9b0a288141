import { ConnectionError } from 'headframe-client';
import { refusalOf } from './answer-problem.js';
import { CONSOLE_PATH } from './service-address.js';

const TIMEOUT_MS = 15_000;

/**
 * Asks the service for what is the console's own, beside the API: configuration, sign-in, session.
 * @param path below the console's address
 * @throws RequestError, ConnectionError
 */
export async function consoleRequest<Body>(
  path: string,
  init: { method?: 'POST'; token?: string; body?: unknown } = {},
): Promise<Body> {
  let response: Response;
  try {
    response = await fetch(CONSOLE_PATH + path, {
      method: init.method ?? 'GET',
      headers: {
        // No page of another site can set it: the service asks for it where it gives out a token.
        'x-headframe-console': '1',
        ...(init.token !== undefined && { authorization: `Bearer ${init.token}` }),
        ...(init.body !== undefined && { 'content-type': 'application/json' }),
      },
      body: init.body === undefined ? null : JSON.stringify(init.body),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch (cause) {
    throw new ConnectionError('The service cannot be reached.', { cause });
  }
  const body: unknown = await response.json().catch(() => null);
  if (response.ok && body !== null) return body as Body;
  throw refusalOf(response, body);
}
