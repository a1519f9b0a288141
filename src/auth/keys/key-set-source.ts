import type { JSONWebKeySet } from 'jose';
import { addressIn, fetchJson, issuerMetadata } from './issuer-metadata.js';

/** For metadata and keys together. */
const FETCH_TIMEOUT_MS = 5_000;

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
      const metadata = await issuerMetadata(issuer, signal);
      return keysAt(addressIn(metadata, 'jwks_uri'), signal);
    },
  };
}

const deadline = (): AbortSignal => AbortSignal.timeout(FETCH_TIMEOUT_MS);

async function keysAt(address: URL, signal: AbortSignal): Promise<JSONWebKeySet> {
  return (await fetchJson(address, signal)) as unknown as JSONWebKeySet;
}
