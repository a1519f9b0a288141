import type { JSONWebKeySet } from 'jose';

/** For metadata and keys together. */
const FETCH_TIMEOUT_MS = 5_000;
/** Key sets have some kilobytes. */
const MAX_BYTES = 1024 * 1024;

/** Where the keys of an identity provider are. */
export interface KeySetSource {
  /** @throws an error that says, for the operator, why they cannot be had */
  fetch(): Promise<JSONWebKeySet>;
}

/** A key set at a known address. */
export const keySetAt = (address: URL): KeySetSource => ({
  fetch: async () => keysAt(address, deadline()),
});

/**
 * The key set of an issuer, whose metadata says where it is: OpenID Connect Discovery 1.0, or RFC 8414
 * where there is none. Metadata of another issuer is refused (RFC 8414, section 3.3).
 */
export function keySetOfIssuer(issuer: string): KeySetSource {
  return {
    async fetch() {
      const signal = deadline();
      const metadata = await metadataOf(issuer, signal);
      if (metadata.issuer !== issuer) {
        throw new Error(
          'the metadata is of another issuer: AUTH_ISSUER must be spelled as the provider does',
        );
      }
      const address = URL.canParse(String(metadata.jwks_uri))
        ? new URL(String(metadata.jwks_uri))
        : null;
      if (address === null || !/^https?:$/.test(address.protocol)) {
        throw new Error('the metadata of the issuer names no key set (jwks_uri)');
      }
      return keysAt(address, signal);
    },
  };
}

const deadline = (): AbortSignal => AbortSignal.timeout(FETCH_TIMEOUT_MS);

async function keysAt(address: URL, signal: AbortSignal): Promise<JSONWebKeySet> {
  return (await fetchJson(address, signal)) as unknown as JSONWebKeySet;
}

async function metadataOf(issuer: string, signal: AbortSignal): Promise<Record<string, unknown>> {
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

async function fetchJson(address: URL, signal: AbortSignal): Promise<Record<string, unknown>> {
  const response = await fetch(address, {
    headers: { accept: 'application/json' },
    // An address that was configured, or that the issuer named, is believed; where it leads is not.
    redirect: 'error',
    signal,
  });
  if (!response.ok) {
    throw new Error(`${address.href} answered ${response.status}`);
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
