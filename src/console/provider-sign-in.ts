import { z } from 'zod';
import {
  addressIn,
  fetchJson,
  issuerMetadata,
  ProviderRefusal,
} from '../auth/keys/issuer-metadata.js';
import type { Config } from '../platform/config.js';
import { Problem } from '../platform/http/problem/problem.js';

/** For metadata and token together. */
const TIMEOUT_MS = 8_000;
/** Exchanges under way at once: each is a connection to the provider. */
const MAX_EXCHANGES = 16;

/** What the console sends for the code that the provider gave it (RFC 6749, 7636). */
export const EXCHANGE = z.strictObject({
  code: z.string().min(1).max(4_096),
  code_verifier: z.string().regex(/^[\w.~-]{43,128}$/, 'must be a code verifier by RFC 7636'),
  redirect_uri: z.url({ protocol: /^https?$/ }).max(2_048),
});

/** Where the console sends the browser to sign in. */
export interface Authorization {
  readonly authorization_endpoint: string;
  readonly client_id: string;
  readonly scope: string;
  /** What the token is for, by which name the provider may want it (RFC 8707, or its own). */
  readonly audience: string | null;
}

/**
 * Sign-in by authorization code with PKCE. The browser goes to the provider's page; the code comes back
 * to the console, and is exchanged here: so the page needs to reach no other host, and the provider
 * need not allow its origin.
 */
export class ProviderSignIn {
  private exchanges = 0;

  private constructor(
    private readonly issuer: string,
    private readonly clientId: string,
    private readonly config: Config,
  ) {}

  /** @returns null when the console is no client of a provider */
  static offered(config: Config): ProviderSignIn | null {
    const { AUTH_ISSUER, CONSOLE_CLIENT_ID } = config;
    return AUTH_ISSUER === undefined || CONSOLE_CLIENT_ID === undefined
      ? null
      : new ProviderSignIn(AUTH_ISSUER, CONSOLE_CLIENT_ID, config);
  }

  /** @throws Problem `unavailable` when the provider cannot be asked */
  async authorization(): Promise<Authorization> {
    const { AUTH_AUDIENCE, CONSOLE_SCOPE, ...names } = this.config;
    const metadata = await this.ask((signal) => issuerMetadata(this.issuer, signal));
    return {
      authorization_endpoint: addressIn(metadata, 'authorization_endpoint').href,
      client_id: this.clientId,
      scope:
        CONSOLE_SCOPE ??
        ['openid', names.AUTH_SCOPE_READ, names.AUTH_SCOPE_EXECUTE, names.AUTH_SCOPE_ADMIN].join(
          ' ',
        ),
      audience: AUTH_AUDIENCE ?? null,
    };
  }

  /**
   * An access token for a code.
   * @throws Problem `unauthorized` when the provider refuses the code
   */
  async exchange({
    code,
    code_verifier,
    redirect_uri,
  }: z.output<typeof EXCHANGE>): Promise<string> {
    const { AUTH_AUDIENCE } = this.config;
    const form = new URLSearchParams({
      grant_type: 'authorization_code',
      client_id: this.clientId,
      code,
      code_verifier,
      redirect_uri,
      ...(isResource(AUTH_AUDIENCE) && { resource: AUTH_AUDIENCE }),
    });
    const answer = await this.ask(async (signal) => {
      const metadata = await issuerMetadata(this.issuer, signal);
      return fetchJson(addressIn(metadata, 'token_endpoint'), signal, form);
    });
    if (typeof answer.access_token !== 'string') {
      throw new Problem(
        'unavailable',
        'The identity provider answered without a token: try again.',
      );
    }
    return answer.access_token;
  }

  private async ask<T>(question: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (this.exchanges >= MAX_EXCHANGES) {
      throw unavailable('Too many people sign in at this moment: try again soon.');
    }
    this.exchanges += 1;
    try {
      return await question(AbortSignal.timeout(TIMEOUT_MS));
    } catch (cause) {
      if (cause instanceof ProviderRefusal && cause.status >= 400 && cause.status < 500) {
        throw new Problem(
          'unauthorized',
          'The identity provider refused the sign-in: begin again. If that repeats, the operator should check CONSOLE_CLIENT_ID and its redirect address.',
          { cause },
        );
      }
      throw unavailable('The identity provider cannot be asked: try again soon.', cause);
    } finally {
      this.exchanges -= 1;
    }
  }
}

/** What RFC 8707 allows: an absolute URI without a fragment. */
export const isResource = (audience: string | undefined): audience is string =>
  audience !== undefined && /^[a-z][a-z0-9+.-]*:[^#]+$/i.test(audience);

const unavailable = (detail: string, cause?: unknown): Problem =>
  new Problem('unavailable', detail, { headers: { 'retry-after': '3' }, cause });
