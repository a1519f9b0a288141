import type { AllowedMethods } from './allowed-methods.js';

/** Letters, digits and marks that need no encoding, in segments of which none is a dot or two. */
const PLAIN = /^(?:\/(?!\.{1,2}(?:\/|$))[\w.~-]+)+$|^\/$/;
const LONGEST = 500;

/**
 * The address that was meant by one with slashes too many: `//compute/orgs/…` of a base address that
 * ends in a slash, `…/status/` of a habit.
 * @param path without the query string
 * @param isKnown whether a token was shown: nobody else learns what tasks there are
 * @returns null when that would be nobody's address, or has anything in it that should not be repeated
 */
export function rightAddress(
  path: string,
  allowed: AllowedMethods,
  isKnown: boolean,
): string | null {
  const address = path.replace(/\/{2,}/g, '/').replace(/(?<=[^/])\/$/, '');
  if (address === path || address.length > LONGEST || !PLAIN.test(address)) {
    return null;
  }
  if (!isKnown && address.startsWith('/compute/')) {
    return address;
  }
  return allowed.of(address).length > 0 ? address : null;
}
