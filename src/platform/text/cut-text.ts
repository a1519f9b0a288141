/**
 * The beginning of a text, cut between two characters: of a surrogate pair either both halves are kept
 * or none, so that nothing becomes U+FFFD that was none.
 * @param most UTF-16 code units, as `length` counts them; what is kept has one less where a pair would
 *   be split
 */
export function cutText(text: string, most: number): string {
  return text.slice(0, splitsPair(text, most) ? most - 1 : most);
}

/** Whether a cut before the code unit at `offset` would come between the halves of a surrogate pair. */
export function splitsPair(text: string, offset: number): boolean {
  const before = text.charCodeAt(offset - 1);
  const behind = text.charCodeAt(offset);
  return before >= 0xd800 && before <= 0xdbff && behind >= 0xdc00 && behind <= 0xdfff;
}

/**
 * The beginning of UTF-8, as text: cut between two characters.
 * @param most bytes
 */
export function cutUtf8(bytes: Buffer, most: number): string {
  let end = Math.min(most, bytes.length);
  // Continuation bytes are 10xxxxxx, and a character has three of them at most.
  for (let back = 0; back < 3 && end < bytes.length && isContinuation(bytes[end]); back += 1) {
    end -= 1;
  }
  return bytes.subarray(0, isContinuation(bytes[end]) ? most : end).toString('utf8');
}

const isContinuation = (byte: number | undefined): boolean =>
  byte !== undefined && (byte & 0xc0) === 0x80;
