import { CliError } from '../cli-error.js';
import { EXIT } from '../exit-code.js';
import type { Renewal } from '../session/profile.store.js';
import { post } from './openid-provider.js';

/**
 * A new token by a refresh token (RFC 6749, section 6), and the refresh token to use next.
 * @throws CliError when the provider gives none any more
 */
export async function renewed(
  renewal: Renewal,
): Promise<{ readonly token: string; readonly renewal: Renewal }> {
  const answer = await post(renewal.tokenEndpoint, {
    grant_type: 'refresh_token',
    refresh_token: renewal.refreshToken,
    client_id: renewal.clientId,
  });
  const { access_token: token, refresh_token: next } = answer;
  if (typeof token !== 'string') {
    throw new CliError(
      EXIT.notPermitted,
      `The sign-in has ended: ${JSON.stringify(answer.error_description ?? answer.error)}.`,
      'Sign in again: headframe login',
    );
  }
  const refreshToken = typeof next === 'string' ? next : renewal.refreshToken;
  return { token, renewal: { ...renewal, refreshToken } };
}
