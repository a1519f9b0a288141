import { randomFillSync } from 'node:crypto';
import { v7 } from 'uuid';

/** Ids made of one asking for random bytes: asking for each took a twelfth of a submit's time. */
const IDS_AT_ONCE = 256;
const ID_BYTES = 16;
/** The sequence begins in the lower half of its 32 bits, so that it does not run over within a millisecond. */
const FIRST_SEQUENCE_BITS = 31;

const bytes = new Uint8Array(IDS_AT_ONCE * ID_BYTES);
let used = bytes.length;
let msecs = 0;
let seq = 0;

/**
 * A UUIDv7 (RFC 9562, 5.7): those of this process sort in the order in which they were made, also within a
 * millisecond (6.2, method 1), and when the clock is set back.
 */
export function newId(): string {
  if (used === bytes.length) {
    randomFillSync(bytes);
    used = 0;
  }
  const random = bytes.subarray(used, used + ID_BYTES);
  used += ID_BYTES;
  const now = Date.now();
  if (now > msecs) {
    msecs = now;
    seq = new DataView(bytes.buffer, random.byteOffset).getUint32(0) >>> (32 - FIRST_SEQUENCE_BITS);
  } else {
    seq += 1;
  }
  return v7({ random, msecs, seq });
}

/** Ids of {@link newIds} that follow each other; more than a batch has. */
const FOLLOWING = 1_024n;

/**
 * Ids that follow each other: who knows the first knows all.
 * @param count at most 1,024
 */
export function newIds(count: number): string[] {
  const id = BigInt(`0x${newId().replaceAll('-', '')}`);
  return idsFrom(uuidOf(id - (id % FOLLOWING)), count);
}

/** The ids of {@link newIds}, from the first of them. */
export function idsFrom(first: string, count: number): string[] {
  const id = BigInt(`0x${first.replaceAll('-', '')}`);
  return Array.from({ length: count }, (_, place) => uuidOf(id + BigInt(place)));
}

const uuidOf = (value: bigint): string =>
  value
    .toString(16)
    .padStart(32, '0')
    .replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
