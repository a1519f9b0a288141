import { createHash } from 'node:crypto';

const ID_BYTES = 16;
const SEAL_BYTES = 12;

/**
 * A place in a list of one organization under one filter, for a URL. It names the last entry of a page,
 * sealed with what the list was asked for: a cursor of another list, or one that was tampered with, is
 * noticed. It is no secret, and a forged one shows nothing that the token does not allow.
 * @param id a lower-case UUID
 */
export function cursorOf(id: string, list: readonly string[]): string {
  const bytes = Buffer.from(id.replaceAll('-', ''), 'hex');
  return Buffer.concat([bytes, seal(bytes, list)]).toString('base64url');
}

/** @returns the id of {@link cursorOf}, or null for what is no cursor of this list */
export function idOfCursor(cursor: string, list: readonly string[]): string | null {
  const bytes = Buffer.from(cursor, 'base64url');
  if (bytes.length !== ID_BYTES + SEAL_BYTES || bytes.toString('base64url') !== cursor) {
    return null;
  }
  const id = bytes.subarray(0, ID_BYTES);
  if (!seal(id, list).equals(bytes.subarray(ID_BYTES))) {
    return null;
  }
  return id.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

const seal = (id: Buffer, list: readonly string[]): Buffer =>
  createHash('sha256').update(JSON.stringify(list)).update(id).digest().subarray(0, SEAL_BYTES);
