import { consoleRequest } from '../api/console-request.js';
import { CONSOLE_PATH } from '../api/service-address.js';
import { signIn } from './session.js';

/** Of this tab, from leaving for the provider until coming back: what only this page knows. */
const KEY = 'headframe.sign-in';
/** Where the provider sends the browser back to: register this address with it. */
export const CALLBACK = 'callback';

interface Pending {
  readonly state: string;
  readonly verifier: string;
  /** The address to go on at, below the console's. */
  readonly goOn: string;
}

interface Authorization {
  readonly authorization_endpoint: string;
  readonly client_id: string;
  readonly scope: string;
  readonly audience?: string;
  readonly resource?: string;
}

/** Leaves for the provider's page (RFC 6749, section 4.1, with PKCE by RFC 7636). */
export async function leaveForProvider(): Promise<void> {
  const { authorization_endpoint, ...asked } = await consoleRequest<Authorization>('provider');
  const pending: Pending = {
    state: random(),
    verifier: random(),
    goOn: location.pathname + location.search,
  };
  sessionStorage.setItem(KEY, JSON.stringify(pending));
  const address = new URL(authorization_endpoint);
  const query = {
    ...asked,
    response_type: 'code',
    redirect_uri: callbackAddress(),
    state: pending.state,
    code_challenge: await challengeOf(pending.verifier),
    code_challenge_method: 'S256',
  };
  Object.entries(query).forEach(([name, value]) => address.searchParams.set(name, value));
  location.assign(address);
}

/**
 * Goes on where the provider has sent the browser back.
 * @param query of the address, which is gone from the history by the time this answers
 * @returns the address to go on at
 * @throws an error with a message for the user
 */
export async function returnFromProvider(query: URLSearchParams): Promise<string> {
  const pending = JSON.parse(sessionStorage.getItem(KEY) ?? 'null') as Pending | null;
  sessionStorage.removeItem(KEY);
  // The code is good once, but need not be seen over a shoulder or kept in a history.
  history.replaceState(null, '', CONSOLE_PATH + CALLBACK);
  if (pending === null || query.get('state') !== pending.state) {
    throw new Error('This sign-in was not begun in this tab: begin it again.');
  }
  const code = query.get('code');
  if (code === null) {
    const why = query.get('error_description') ?? query.get('error') ?? 'it gave no code';
    throw new Error(`The identity provider did not sign you in: ${why}`);
  }
  const { token } = await consoleRequest<{ token: string }>('provider/token', {
    method: 'POST',
    body: { code, code_verifier: pending.verifier, redirect_uri: callbackAddress() },
  });
  await signIn(token);
  return pending.goOn;
}

const callbackAddress = (): string => location.origin + CONSOLE_PATH + CALLBACK;

const random = (): string => base64url(crypto.getRandomValues(new Uint8Array(32)));

async function challengeOf(verifier: string): Promise<string> {
  return base64url(
    new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier))),
  );
}

const base64url = (bytes: Uint8Array): string =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
