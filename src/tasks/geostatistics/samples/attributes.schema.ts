import { z } from 'zod';

/** What is known of each sample or point beside its location: numbers or text, null where unknown. */
export type Attribute = readonly (number | string | null)[];
export type Attributes = Readonly<Record<string, Attribute>>;

const MAX_ATTRIBUTES = 32;
const MAX_NAME = 200;
/** Names of domains and rock types are far shorter. */
const MAX_TEXT_LENGTH = 256;
/** All text together, in UTF-16 units: 32 MB, and as much as the largest body can hold. */
const MAX_TEXT_IN_ALL = 16_777_216;
const MAX_NUMBER = 1e100;
const MAX_ISSUES = 20;

interface Issue {
  readonly path: (string | number)[];
  readonly message: string;
}

/**
 * Named lists for `filter`, checked in one pass that stops after twenty mistakes. That they are as
 * long as the list they describe is for their owner to check: {@link otherLengths}.
 * @param each what an entry belongs to: `sample`
 */
export function attributesSchema(each: string, longest: number) {
  return z
    .custom<Attributes>()
    .check((context) => {
      for (const { path, message } of mistakes(context.value, longest)) {
        context.issues.push({ code: 'custom', input: context.value, path, message });
      }
    })
    .meta({
      description:
        `What filter may ask for: named lists with one entry for each ${each}, all numbers or all ` +
        'text, null where it is not known',
      type: 'object',
      maxProperties: MAX_ATTRIBUTES,
      propertyNames: { minLength: 1, maxLength: MAX_NAME },
      additionalProperties: {
        type: 'array',
        maxItems: longest,
        items: {
          anyOf: [
            { type: 'number', minimum: -MAX_NUMBER, maximum: MAX_NUMBER },
            { type: 'string', maxLength: MAX_TEXT_LENGTH },
            { type: 'null' },
          ],
        },
      },
    });
}

/** Attributes that are not as long as what they describe, each with what is wrong with it. */
export function otherLengths(attributes: Attributes, length: number, noun: string): Issue[] {
  return Object.entries(attributes)
    .filter(([, entries]) => entries.length !== length)
    .map(([name, entries]) => ({
      path: [name],
      message: `Expected one entry for each of the ${length} ${noun}, not ${entries.length}`,
    }));
}

/** Whether the entries are numbers or text; undefined when none is known. */
export function kindOf(attribute: Attribute): 'number' | 'string' | undefined {
  const known = attribute.find((entry) => entry !== null);
  return known === undefined || known === null ? undefined : (typeof known as 'number' | 'string');
}

function mistakes(value: unknown, longest: number): Issue[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return [{ path: [], message: 'Expected an object of named lists' }];
  }
  const lists = Object.entries(value);
  if (lists.length > MAX_ATTRIBUTES) {
    const message = `Expected at most ${MAX_ATTRIBUTES} attributes, not ${lists.length}`;
    return [{ path: [], message }];
  }
  const found: Issue[] = [];
  let text = 0;
  for (const [name, list] of lists) {
    if (name.length === 0 || name.length > MAX_NAME) {
      found.push({ path: [], message: `Expected names of 1 to ${MAX_NAME} characters` });
    } else if (!Array.isArray(list)) {
      found.push({ path: [name], message: 'Expected an array' });
    } else if (list.length > longest) {
      const message = `Expected at most ${longest} entries, not ${list.length}`;
      found.push({ path: [name], message });
    } else {
      text += entryMistakes(name, list, found);
    }
    if (found.length >= MAX_ISSUES) return found.slice(0, MAX_ISSUES);
  }
  if (text > MAX_TEXT_IN_ALL) {
    found.push({
      path: [],
      message: `Expected at most ${MAX_TEXT_IN_ALL} characters of text in all`,
    });
  }
  return found;
}

/** @returns how much text the list holds */
function entryMistakes(name: string, list: readonly unknown[], found: Issue[]): number {
  let text = 0;
  let kind: string | undefined;
  for (let i = 0; i < list.length && found.length < MAX_ISSUES; i++) {
    const entry = list[i];
    if (entry === null) continue;
    const message = entryMistake(entry, kind);
    if (message !== undefined) found.push({ path: [name, i], message });
    kind ??= typeof entry;
    if (typeof entry === 'string') text += entry.length;
  }
  return text;
}

function entryMistake(entry: unknown, kind: string | undefined): string | undefined {
  if (typeof entry !== 'number' && typeof entry !== 'string') {
    return 'Expected a number, text or null';
  }
  if (kind !== undefined && typeof entry !== kind) {
    const expected = kind === 'number' ? 'a number' : 'text';
    return `Expected ${expected} or null, as in the entries before`;
  }
  if (typeof entry === 'string') {
    return entry.length > MAX_TEXT_LENGTH
      ? `Expected at most ${MAX_TEXT_LENGTH} characters, not ${entry.length}`
      : undefined;
  }
  if (!Number.isFinite(entry) || Math.abs(entry) > MAX_NUMBER) {
    return `Expected a number from ${-MAX_NUMBER} to ${MAX_NUMBER}`;
  }
  return undefined;
}
