import { lengthOf, memberOf, type Packed } from '../document/packed.js';

/** A place where two documents differ. */
export interface Difference {
  readonly place: string;
  /** Undefined: there is nothing there. */
  readonly before: Packed | undefined;
  readonly after: Packed | undefined;
}

/** More are not told: the documents have little in common then. */
const MOST = 200;

/** Where two documents differ, in the order of the first. */
export function differencesOf(before: Packed, after: Packed): Difference[] {
  const found: Difference[] = [];
  compare(before, after, '', found);
  return found;
}

function compare(
  before: Packed | undefined,
  after: Packed | undefined,
  place: string,
  found: Difference[],
): void {
  if (found.length >= MOST || Object.is(before, after)) return;
  const lengths = [before, after].map((each) => (each === undefined ? null : lengthOf(each)));
  const [one, other] = lengths;
  if (typeof one === 'number' && typeof other === 'number') {
    if (one !== other) {
      found.push({ place, before, after });
      return;
    }
    for (let index = 0; index < one && found.length < MOST; index += 1) {
      compare(
        memberOf(before as Packed, index),
        memberOf(after as Packed, index),
        `${place}[${index}]`,
        found,
      );
    }
    return;
  }
  if (isPlainObject(before) && isPlainObject(after) && one === null && other === null) {
    for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
      compare(before[name], after[name], place === '' ? name : `${place}.${name}`, found);
    }
    return;
  }
  if (before !== after) found.push({ place, before, after });
}

const isPlainObject = (value: unknown): value is Record<string, Packed> =>
  typeof value === 'object' && value !== null;
