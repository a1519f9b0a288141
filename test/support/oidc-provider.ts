import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import Provider, { type Configuration } from 'oidc-provider';

const CLIENT = { client_id: 'notebook', client_secret: 'a-secret-of-the-notebook' };
/** A client without a secret, for people who sign in by a device code. */
const DEVICE_CLIENT = 'headframe-cli';
/** The audience of the access tokens. */
export const RESOURCE = 'urn:headframe';

/** A private key for signing. */
export async function signingKey(kid: string, alg: 'RS256' | 'ES256' = 'RS256'): Promise<JWK> {
  const { privateKey } = await generateKeyPair(alg, { extractable: true });
  return { ...(await exportJWK(privateKey)), kid, alg, use: 'sig' };
}

/** An OpenID provider on loopback: a real one, whose clients get access tokens of their own (RFC 9068). */
export class OidcProvider {
  private server: Server | null = null;
  private port = 0;
  private provider: Provider | null = null;
  /** How often the key set was asked for. */
  keySetRequests = 0;

  private constructor(private readonly organizations: readonly string[]) {}

  static async start(
    keys: readonly JWK[],
    organizations: readonly string[],
  ): Promise<OidcProvider> {
    const provider = new OidcProvider(organizations);
    await provider.serve(keys);
    return provider;
  }

  get issuer(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /**
   * Serves with these keys, at the address it always had: the first signs.
   * @param console address that people are sent back to who sign in with a browser; they are asked who they are
   */
  async serve(keys: readonly JWK[], console?: string): Promise<void> {
    await this.stop();
    const server = createServer();
    server.listen(this.port, '127.0.0.1');
    await once(server, 'listening');
    this.port = (server.address() as AddressInfo).port;
    const provider = new Provider(this.issuer, this.configuration(keys, console));
    this.provider = provider;
    const handle = provider.callback();
    server.on('request', (request, response) => {
      this.keySetRequests += request.url === '/jwks' ? 1 : 0;
      void handle(request, response);
    });
    this.server = server;
  }

  async stop(): Promise<void> {
    const { server } = this;
    this.server = null;
    server?.closeAllConnections();
    await new Promise((resolve) => (server === null ? resolve(null) : server.close(resolve)));
  }

  /** By the client-credentials grant (RFC 6749, section 4.4), for our audience. */
  async token(scope: string): Promise<string> {
    const response = await fetch(`${this.issuer}/token`, {
      method: 'POST',
      headers: {
        connection: 'close',
        authorization: `Basic ${Buffer.from(`${CLIENT.client_id}:${CLIENT.client_secret}`).toString('base64')}`,
      },
      body: new URLSearchParams({ grant_type: 'client_credentials', scope, resource: RESOURCE }),
    });
    const body = (await response.json()) as { access_token?: string };
    if (body.access_token === undefined) {
      throw new Error(`the provider answered ${response.status}: ${JSON.stringify(body)}`);
    }
    return body.access_token;
  }

  /** What somebody does who enters the code in a browser, signs in and agrees. */
  async approve(userCode: string): Promise<void> {
    const provider = this.provider as Provider;
    const code = await provider.DeviceCode.findByUserCode(userCode.replaceAll('-', ''));
    if (code === undefined) throw new Error(`the provider knows no code ${userCode}`);
    const scope = String(code.params?.scope);
    const grant = new provider.Grant({ accountId: 'ada', clientId: DEVICE_CLIENT });
    grant.addOIDCScope('openid offline_access');
    grant.addResourceScope(RESOURCE, scope);
    Object.assign(code, {
      accountId: 'ada',
      grantId: await grant.save(),
      authTime: Math.floor(Date.now() / 1000),
      scope,
      resource: RESOURCE,
    });
    await code.save();
  }

  private configuration(keys: readonly JWK[], console?: string): Configuration {
    return {
      clients: [
        {
          ...CLIENT,
          grant_types: ['client_credentials'],
          id_token_signed_response_alg: keys[0]?.alg as 'RS256',
          redirect_uris: [],
          response_types: [],
        },
        {
          client_id: DEVICE_CLIENT,
          token_endpoint_auth_method: 'none',
          grant_types: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'],
          id_token_signed_response_alg: keys[0]?.alg as 'RS256',
          redirect_uris: [],
          response_types: [],
          application_type: 'native',
        },
        ...(console === undefined
          ? []
          : [
              {
                client_id: 'headframe-console',
                token_endpoint_auth_method: 'none' as const,
                grant_types: ['authorization_code'],
                id_token_signed_response_alg: keys[0]?.alg as 'RS256',
                redirect_uris: [console],
                response_types: ['code' as const],
                application_type: 'native' as const,
              },
            ]),
      ],
      findAccount: (_, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
      jwks: { keys: keys as never },
      scopes: ['openid', 'offline_access', 'tasks.read', 'tasks.run'],
      features: {
        devInteractions: { enabled: console !== undefined },
        clientCredentials: { enabled: true },
        deviceFlow: { enabled: true },
        resourceIndicators: {
          enabled: true,
          useGrantedResource: () => true,
          getResourceServerInfo: () => ({
            scope: 'tasks.read tasks.run',
            audience: RESOURCE,
            accessTokenFormat: 'jwt',
            jwt: { sign: { alg: keys[0]?.alg as 'RS256' } },
          }),
        },
      },
      // As a provider's administrator maps a group to a claim.
      extraTokenClaims: () => ({ tenant: { organizations: [...this.organizations] } }),
    };
  }
}
