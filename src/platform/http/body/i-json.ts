import { isUtf8 } from 'node:buffer';
import { faultOfJson } from './json-fault.js';
import {
  MAX_CONTAINERS,
  MAX_DEPTH,
  MAX_MEMBERS,
  type Path,
  pathAt,
  pathOfRepeatedMember,
  scanJsonText,
} from './json-text.js';
import { type InvalidParam, Problem } from '../problem/problem.js';
import { cutText } from '../../text/cut-text.js';

/** Longest part of a name that a problem repeats. */
const MAX_NAME = 100;

/**
 * Parses a request body as I-JSON (RFC 7493): what passes can be stored, sent on and read back
 * without change.
 * @returns the value, of any JSON type
 * @throws Problem `malformed-request` (400) when it is not UTF-8, not JSON, or has an object with
 *   the same member twice; `invalid-parameters` (422) with the place for what JSON allows but
 *   cannot be kept: U+0000, lone surrogates, numbers that a double cannot hold, too deep nesting,
 *   too many members
 */
export function parseIJson(body: Buffer): unknown {
  if (!isUtf8(body)) {
    throw new Problem('malformed-request', `The body is not valid UTF-8: ${encodingHint(body)}.`);
  }
  const text = body.toString('utf8').replace(/^\uFEFF/, '');
  const found = scanJsonText(text);
  // Before the parser, which takes seconds and gigabytes for sixteen megabytes of brackets.
  if (found.tooDeepAt !== null) {
    throw unkeepable(
      pathAt(text, found.tooDeepAt).slice(0, 3),
      `is nested more than ${MAX_DEPTH} levels deep: flatten it`,
    );
  }
  if (found.tooManyMembersAt !== null) {
    throw unkeepable(
      pathAt(text, found.tooManyMembersAt).slice(0, -1),
      `has more than ${MAX_MEMBERS} members: send a list instead`,
    );
  }
  if (found.tooManyContainersAt !== null) {
    throw unkeepable(
      pathAt(text, found.tooManyContainersAt).slice(0, 3),
      `is behind ${MAX_CONTAINERS} objects and arrays, the most that a body may have: send fewer`,
    );
  }
  const value = parse(text);
  const members = refuseUnkeepable(value);
  if (found.unsafeIntegerAt !== null) {
    throw unkeepable(
      pathAt(text, found.unsafeIntegerAt),
      'is an integer beyond ±(2^53 − 1), which cannot be kept exactly: send it as a string',
    );
  }
  // JSON.parse keeps the last of two equal members: then the text has more members than the value.
  if (found.members !== members) {
    throw new Problem(
      'malformed-request',
      `The body has the member ${placeOf(pathOfRepeatedMember(text))} more than once: send it once.`,
    );
  }
  return value;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    if (text.trim() === '') {
      throw new Problem(
        'malformed-request',
        'The body is empty: send a JSON object like {"parameters": {}}.',
      );
    }
    throw notJson(text);
  }
}

/** Says what the first fault is, and where: a validator would know no more. */
function notJson(text: string): Problem {
  const fault = faultOfJson(text);
  if (fault === null) {
    return new Problem('malformed-request', 'The body is not valid JSON.');
  }
  const name = placeOf(fault.path);
  const reason = `${fault.what} (${fault.place}): ${fault.advice}`;
  return new Problem('malformed-request', `${name || 'The body'} ${reason}.`, {
    invalidParams: [{ name, reason }],
  });
}

/** What bytes that are no UTF-8 seem to be. */
function encodingHint([first, second]: Buffer): string {
  if (first === 0x1f && second === 0x8b) {
    return 'it seems to be compressed, so send it as it is';
  }
  const isUtf16 = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
  return isUtf16 ? 'it seems to be UTF-16, so encode it as UTF-8' : 'encode it as UTF-8';
}

/** The place of a value as clients write it: `parameters.source.values[3]`. */
export function placeOf(path: Path): string {
  return path
    .map((part) => {
      if (typeof part === 'number') {
        return `[${part}]`;
      }
      const name = cutText(part, MAX_NAME);
      return /^[\w-]+$/.test(name) ? `.${name}` : `[${JSON.stringify(name.toWellFormed())}]`;
    })
    .join('')
    .replace(/^\./, '');
}

function unkeepable(path: Path, reason: string): Problem {
  const invalid: InvalidParam = { name: placeOf(path), reason };
  return new Problem('invalid-parameters', `${invalid.name || 'The body'} ${reason}.`, {
    invalidParams: [invalid],
  });
}

/**
 * Walks a parsed value, which the scan has found shallow enough, and returns how many object members
 * it has; throws at the first fault.
 */
function refuseUnkeepable(value: unknown): number {
  const path: (string | number)[] = [];
  let members = 0;

  const checkString = (text: string, what: string): void => {
    if (text.includes('\u0000')) {
      throw unkeepable(path, `${what} the character U+0000, which cannot be stored: remove it`);
    }
    if (!text.isWellFormed()) {
      throw unkeepable(path, `${what} half of a surrogate pair, which is no character: remove it`);
    }
  };

  const visit = (node: unknown): void => {
    if (typeof node === 'string') {
      checkString(node, 'has');
    } else if (typeof node === 'number') {
      if (!Number.isFinite(node)) {
        throw unkeepable(path, 'is a number too large to be kept: at most about 1.8e308');
      }
    } else if (Array.isArray(node)) {
      const depth = path.push(0);
      for (let index = 0; index < node.length; index += 1) {
        path[depth - 1] = index;
        visit(node[index]);
      }
      path.pop();
    } else if (typeof node === 'object' && node !== null) {
      for (const [key, member] of Object.entries(node)) {
        members += 1;
        path.push(key);
        checkString(key, 'has, in its name,');
        if (key === '__proto__') {
          throw unkeepable(path, 'is a name that is not allowed: rename it');
        }
        visit(member);
        path.pop();
      }
    }
  };
  visit(value);
  return members;
}
