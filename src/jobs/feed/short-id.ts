/** A UUID in 22 characters (base64url): hints have 7,900 bytes at most. @param id in lower case */
export const shortId = (id: string): string =>
  Buffer.from(id.replaceAll('-', ''), 'hex').toString('base64url');

/** The UUID of a short id; null for what is none. */
export function longId(short: string): string | null {
  if (!/^[\w-]{21}[AQgw]$/.test(short)) {
    return null;
  }
  const hex = Buffer.from(short, 'base64url').toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
