/** Deepest nesting of objects and arrays that a body may have. */
export const MAX_DEPTH = 64;
/** Most members that one object may have. Arrays may be as long as the body limit allows. */
export const MAX_MEMBERS = 1_000;
/** Most objects and arrays of one body: a million coordinates fit, and each takes some 50 bytes of memory. */
export const MAX_CONTAINERS = 1_100_000;

export type Path = readonly (string | number)[];

/** What the text of a JSON document tells that its parsed value hides, or that would cost too much to parse. */
export interface TextFindings {
  /** Where the nesting passes {@link MAX_DEPTH}: nothing behind it was looked at. */
  readonly tooDeepAt: number | null;
  /** Where an object passes {@link MAX_MEMBERS}: nothing behind it was looked at. */
  readonly tooManyMembersAt: number | null;
  /** Where the objects and arrays pass {@link MAX_CONTAINERS}: nothing behind it was looked at. */
  readonly tooManyContainersAt: number | null;
  /** The first integer that a double does not hold exactly. */
  readonly unsafeIntegerAt: number | null;
  /** Members of all objects together, each repetition counted. */
  readonly members: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const MINUS = 0x2d;

/**
 * Looks once at each character of a text, from left to right: no recursion, and no regular expression,
 * whose memory would grow with a string's length. Of text that is no JSON it may say anything.
 */
export function scanJsonText(text: string): TextFindings {
  const membersOf = [0];
  let members = 0;
  let containers = 0;
  let unsafeIntegerAt: number | null = null;
  const stopped = (
    fault: 'tooDeepAt' | 'tooManyMembersAt' | 'tooManyContainersAt',
    at: number,
  ): TextFindings => ({
    tooDeepAt: null,
    tooManyMembersAt: null,
    tooManyContainersAt: null,
    unsafeIntegerAt,
    members,
    [fault]: at,
  });
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = endOfString(text, at);
    } else if (code === OPEN_OBJECT || code === OPEN_ARRAY) {
      if (membersOf.push(0) > MAX_DEPTH + 1) {
        return stopped('tooDeepAt', at);
      }
      containers += 1;
      if (containers > MAX_CONTAINERS) {
        return stopped('tooManyContainersAt', at);
      }
    } else if (code === CLOSE_OBJECT || code === CLOSE_ARRAY) {
      membersOf.pop();
    } else if (code === COLON) {
      const count = (membersOf.pop() ?? 0) + 1;
      if (count > MAX_MEMBERS) {
        return stopped('tooManyMembersAt', at);
      }
      membersOf.push(count);
      members += 1;
    } else if (code === MINUS || isDigit(code)) {
      const end = endOfNumber(text, at);
      if (unsafeIntegerAt === null && isUnsafeInteger(text, at, end)) {
        unsafeIntegerAt = at;
      }
      at = end - 1;
    }
  }
  return {
    tooDeepAt: null,
    tooManyMembersAt: null,
    tooManyContainersAt: null,
    unsafeIntegerAt,
    members,
  };
}

/** The place of a character: the names and indexes that lead to it. */
export function pathAt(text: string, offset: number): Path {
  return follow(text, offset, () => false);
}

/** The place of the first member that an object has twice; the text must be JSON. */
export function pathOfRepeatedMember(text: string): Path {
  const names: Set<string>[] = [];
  return follow(text, text.length, (path) => {
    const name = path.at(-1) as string;
    names.length = path.length;
    const known = (names[path.length - 1] ??= new Set());
    const repeated = known.has(name);
    known.add(name);
    return repeated;
  });
}

/** Line and column of a character, both counted from 1, the column in characters. */
export function lineAndColumn(text: string, offset: number): string {
  let line = 1;
  let begin = 0;
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', begin)) {
    line += 1;
    begin = at + 1;
  }
  let column = 1;
  for (let at = begin; at < offset; at += 1) {
    const code = text.charCodeAt(at);
    column += code >= 0xdc00 && code <= 0xdfff ? 0 : 1;
  }
  return `line ${line}, column ${column}`;
}

/** Follows a text up to an offset, or to the first member name that `stopAt` answers true to. */
function follow(text: string, offset: number, stopAt: (path: Path) => boolean): Path {
  const path: (string | number)[] = [];
  let literal = '';
  for (let at = 0; at < offset; at += 1) {
    const code = text.charCodeAt(at);
    const last = path.length - 1;
    if (code === QUOTE) {
      const end = endOfString(text, at);
      literal = text.slice(at, end + 1);
      at = end;
    } else if (code === OPEN_OBJECT) {
      path.push('');
    } else if (code === OPEN_ARRAY) {
      path.push(0);
    } else if (code === CLOSE_OBJECT || code === CLOSE_ARRAY) {
      path.pop();
    } else if (code === COMMA && typeof path[last] === 'number') {
      path[last] += 1;
    } else if (code === COLON) {
      path[last] = nameOf(literal);
      if (stopAt(path)) {
        break;
      }
    }
  }
  return path;
}

/** The name that a string literal spells; text that is no JSON may have a literal that spells none. */
function nameOf(literal: string): string {
  try {
    return String(JSON.parse(literal));
  } catch {
    return '';
  }
}

/** Where the string that begins here has its closing quote; the text's end when it has none. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      break;
    }
    at += code === BACKSLASH ? 2 : 1;
  }
  return at;
}

function endOfNumber(text: string, start: number): number {
  let at = start + 1;
  while (isPartOfNumber(text.charCodeAt(at))) {
    at += 1;
  }
  return at;
}

/** Whether these characters are an integer, without fraction and exponent, beyond ±(2^53 − 1). */
function isUnsafeInteger(text: string, start: number, end: number): boolean {
  // Up to fifteen digits are always safe.
  if (end - start <= 15) {
    return false;
  }
  const literal = text.slice(start, end);
  return /^-?\d+$/.test(literal) && !Number.isSafeInteger(Number(literal));
}

const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39;

/** Digits, `.`, `e`, `E`, `+` and `-`. */
const isPartOfNumber = (code: number): boolean =>
  isDigit(code) ||
  code === 0x2e ||
  code === 0x65 ||
  code === 0x45 ||
  code === 0x2b ||
  code === MINUS;
