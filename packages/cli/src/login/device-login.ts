import { setTimeout as sleep } from 'node:timers/promises';
import { CliError, usageError } from '../cli-error.js';
import { EXIT } from '../exit-code.js';
import type { Renewal } from '../session/profile.store.js';
import { discover, type OAuthAnswer, post } from './openid-provider.js';

export interface DeviceLoginOptions {
  readonly issuer: string;
  readonly clientId: string;
  readonly scope: string;
  /** RFC 8707: whom the token is for, where the provider wants to be told. */
  readonly resource?: string | undefined;
}

export interface DeviceToken {
  readonly token: string;
  readonly renewal?: Renewal | undefined;
}

const GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
/** By RFC 8628, when the provider does not say. */
const POLL_SECONDS = 5;
const SLOWER_SECONDS = 5;
const DEFAULT_LIFE_SECONDS = 600;

/**
 * Signs in by another device with a browser (RFC 8628).
 * @param show tells the person what to open, and which code to enter there
 */
export async function deviceLogin(
  { issuer, clientId, scope, resource }: DeviceLoginOptions,
  show: (address: string, code: string) => void,
): Promise<DeviceToken> {
  const { device_authorization_endpoint: endpoint, token_endpoint } = await discover(issuer);
  if (endpoint === undefined) {
    throw usageError(
      `${issuer} offers no sign-in by device code.`,
      'Get a token from it by other means: headframe login --token - < token.txt',
    );
  }
  const target: Record<string, string> = resource === undefined ? {} : { resource };
  const started = await post(endpoint, { client_id: clientId, scope, ...target });
  const { device_code: device, user_code: code, verification_uri: address } = started;
  if (typeof device !== 'string' || typeof code !== 'string' || typeof address !== 'string') {
    throw refused(started);
  }
  const whole = started.verification_uri_complete;
  show(typeof whole === 'string' ? whole : address, code);
  const answer = await granted(started, token_endpoint, {
    grant_type: GRANT,
    device_code: device,
    client_id: clientId,
    ...target,
  });
  const { access_token: token, refresh_token: refreshToken } = answer;
  return {
    token: token as string,
    ...(typeof refreshToken === 'string' && {
      renewal: { tokenEndpoint: token_endpoint, clientId, refreshToken },
    }),
  };
}

/** Asks until the person has decided, as often as the provider wants to be asked. */
async function granted(
  started: OAuthAnswer,
  endpoint: string,
  form: Record<string, string>,
): Promise<OAuthAnswer> {
  const deadline = Date.now() + secondsIn(started.expires_in, DEFAULT_LIFE_SECONDS) * 1000;
  let pause = secondsIn(started.interval, POLL_SECONDS);
  while (Date.now() < deadline) {
    await sleep(pause * 1000);
    const answer = await post(endpoint, form);
    if (typeof answer.access_token === 'string') return answer;
    if (answer.error === 'slow_down') pause += SLOWER_SECONDS;
    else if (answer.error !== 'authorization_pending') throw refused(answer);
  }
  throw new CliError(
    EXIT.notPermitted,
    'Nobody entered the code in time.',
    'Try again: headframe login',
  );
}

function secondsIn(value: unknown, usual: number): number {
  return typeof value === 'number' && value > 0 ? value : usual;
}

function refused(answer: OAuthAnswer): CliError {
  const words = answer.error_description ?? answer.error ?? 'it does not say why';
  return new CliError(
    EXIT.notPermitted,
    `The provider gave no token: ${typeof words === 'string' ? words : JSON.stringify(words)}.`,
    'Check --client-id, --scope and --resource with whoever runs it, and try again: headframe login',
  );
}
