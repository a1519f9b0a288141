import { longId, shortId } from './short-id.js';

/** Where a change stands among all that were told: in one order for all who hear them. */
export interface Place {
  /** When it was told, by the database's clock: microseconds since 1970. */
  readonly stamp: number;
  /** Its number among those told together. */
  readonly index: number;
}

/** What a hint says: that a job may have changed, or so many of an organization that none is named. */
export interface HeardChange extends Place {
  readonly orgId: string;
  /** Null: too many changed at once. */
  readonly jobId: string | null;
}

/** A notification holds at most 8,000 bytes, and a stamp goes before. */
const MAX_BYTES = 7_900;
/** An organization's id with what marks it. */
const ORGANIZATION_BYTES = 24;
const MANY = '!';

/**
 * Payloads that tell of changed jobs by organization: words `@<organization>`, and behind each `<job>`s, or
 * `!` for more than can be named.
 * @param changes ids of jobs by organization; null: too many
 */
export function changePayloads(changes: ReadonlyMap<string, ReadonlySet<string> | null>): string[] {
  const payloads: string[] = [];
  let payload = '';
  for (const [orgId, jobIds] of changes) {
    const organization = `@${shortId(orgId)}`;
    let named = false;
    for (const word of jobIds === null ? [MANY] : [...jobIds].map(shortId)) {
      if (payload.length + word.length + ORGANIZATION_BYTES + 2 > MAX_BYTES) {
        payloads.push(payload);
        payload = '';
        named = false;
      }
      payload += `${payload === '' ? '' : ' '}${named ? word : `${organization} ${word}`}`;
      named = true;
    }
  }
  return payload === '' ? payloads : [...payloads, payload];
}

/** What a payload says, with the stamp before it; what cannot be read is passed over. */
export function heardChanges(stamped: string): HeardChange[] {
  const [first = '', ...words] = stamped.split(' ');
  const stamp = Number(first);
  const changes: HeardChange[] = [];
  let orgId: string | null = null;
  words.forEach((word, index) => {
    if (word.startsWith('@')) {
      orgId = longId(word.slice(1));
    } else if (orgId !== null) {
      const jobId = word === MANY ? null : longId(word);
      if (word === MANY || jobId !== null) {
        changes.push({ stamp, index, orgId, jobId });
      }
    }
  });
  return Number.isSafeInteger(stamp) ? changes : [];
}
