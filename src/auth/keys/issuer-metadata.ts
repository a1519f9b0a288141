/** Key sets and metadata have some kilobytes. */
const MAX_BYTES = 1024 * 1024;

/** The provider answered with an error of its own. */
export class ProviderRefusal extends Error {
  override readonly name = 'ProviderRefusal';

  constructor(
    address: URL,
    readonly status: number,
  ) {
    super(`${address.href} answered ${status}`);
  }
}

/** What an identity provider says of itself. */
export type IssuerMetadata = Readonly<Record<string, unknown>>;

/**
 * The metadata of an issuer: OpenID Connect Discovery 1.0, or RFC 8414 where there is none. That of another
 * issuer is refused (RFC 8414, section 3.3).
 * @throws an error that says, for the operator, why it cannot be had
 */
export async function issuerMetadata(issuer: string, signal: AbortSignal): Promise<IssuerMetadata> {
  const metadata = await fetchMetadata(issuer, signal);
  if (metadata.issuer !== issuer) {
    throw new Error(
      'the metadata is of another issuer: AUTH_ISSUER must be spelled as the provider does',
    );
  }
  return metadata;
}

/**
 * An address that the metadata names, such as `jwks_uri`.
 * @throws when it names none
 */
export function addressIn(metadata: IssuerMetadata, member: string): URL {
  const text = String(metadata[member]);
  const address = URL.canParse(text) ? new URL(text) : null;
  if (address === null || !/^https?:$/.test(address.protocol)) {
    throw new Error(`the metadata of the issuer names no address as ${member}`);
  }
  return address;
}

async function fetchMetadata(issuer: string, signal: AbortSignal): Promise<IssuerMetadata> {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/$/, '');
  try {
    return await fetchJson(new URL(`${origin}${path}/.well-known/openid-configuration`), signal);
  } catch (error) {
    const other = new URL(`${origin}/.well-known/oauth-authorization-server${path}`);
    return await fetchJson(other, signal).catch(() => {
      throw error;
    });
  }
}

/**
 * The JSON object at an address of the provider, of at most a mebibyte; a form is posted.
 * @throws an error that says, for the operator, what is wrong
 */
export async function fetchJson(
  address: URL,
  signal: AbortSignal,
  form?: URLSearchParams,
): Promise<Record<string, unknown>> {
  const response = await fetch(address, {
    headers: { accept: 'application/json' },
    ...(form !== undefined && { method: 'POST', body: form }),
    // An address that was configured, or that the issuer named, is believed; where it leads is not.
    redirect: 'error',
    signal,
  });
  if (!response.ok) {
    await response.body?.cancel();
    throw new ProviderRefusal(address, response.status);
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > MAX_BYTES) {
      throw new Error(`${address.href} answered more than ${MAX_BYTES} bytes`);
    }
    chunks.push(chunk);
  }
  const parsed: unknown = JSON.parse(Buffer.concat(chunks).toString());
  if (typeof parsed !== 'object' || parsed === null) {
    throw new Error(`${address.href} answered no JSON object`);
  }
  return parsed as Record<string, unknown>;
}
