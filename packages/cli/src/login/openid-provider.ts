import { CliError } from '../cli-error.js';
import { EXIT } from '../exit-code.js';

/** What of a provider's own description is needed here (OpenID Connect Discovery 1.0). */
export interface ProviderMetadata {
  readonly issuer: string;
  readonly token_endpoint: string;
  readonly device_authorization_endpoint?: string;
}

/** An answer of an OAuth 2.0 endpoint: members of a success or of an error. */
export type OAuthAnswer = Readonly<Record<string, unknown>>;

const TIMEOUT_MS = 15_000;
const MAX_CHARACTERS = 1_000_000;

/**
 * Asks a provider what it is.
 * @throws CliError when it cannot be reached, or is another one than it was taken for
 */
export async function discover(issuer: string): Promise<ProviderMetadata> {
  const address = `${issuer.replace(/\/+$/, '')}/.well-known/openid-configuration`;
  const found = (await ask(address, {})) as Partial<ProviderMetadata>;
  if (found.issuer !== issuer || typeof found.token_endpoint !== 'string') {
    throw new CliError(
      EXIT.unreachable,
      `${address} does not describe the provider ${issuer}.`,
      'Check --issuer: it is compared letter by letter, a slash at its end included.',
    );
  }
  return found as ProviderMetadata;
}

/** Posts a form to an endpoint of a provider; an OAuth error is an answer, too. */
export function post(endpoint: string, form: Record<string, string>): Promise<OAuthAnswer> {
  return ask(endpoint, { method: 'POST', body: new URLSearchParams(form) });
}

async function ask(address: string, init: RequestInit): Promise<OAuthAnswer> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const headers = { accept: 'application/json' };
  try {
    const response = await fetch(address, { ...init, headers, signal, redirect: 'error' });
    const text = (await response.text()).slice(0, MAX_CHARACTERS);
    const body: unknown = JSON.parse(text);
    if (typeof body === 'object' && body !== null) return body as OAuthAnswer;
    throw new Error(`it answered ${response.status} without a JSON object`);
  } catch (error) {
    const { message, cause } = error as Error;
    throw new CliError(
      EXIT.unreachable,
      `No usable answer from ${address}: ${cause instanceof Error ? cause.message : message}.`,
      'Check --issuer and the network, and try again.',
    );
  }
}
