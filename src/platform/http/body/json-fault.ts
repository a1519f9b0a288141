import { lineAndColumn, type Path } from './json-text.js';

/** Why a text is no JSON (RFC 8259): the first fault, from left to right. */
export interface JsonFault {
  /** The value that it lies in or is; of a member without a readable name, the object around it. */
  readonly path: Path;
  /** Where it is in the text: `line 1, column 7`. */
  readonly place: string;
  /** What it is, as a predicate: `is NaN, which JSON does not have`. */
  readonly what: string;
  /** What to do. */
  readonly advice: string;
  /** Whether the text only ends too early: more of it could be JSON. */
  readonly isCutOff: boolean;
}

interface Found {
  readonly at: number;
  readonly what: string;
  readonly advice: string;
  readonly isCutOff?: boolean;
}

/** Where a fault lies within its object or array, and what may stand there. */
type Expected =
  | 'value'
  | 'value or end'
  | 'name'
  | 'name or end'
  | 'colon'
  | 'comma or end'
  | 'end';

/**
 * An object or array that is open: the index of the present item, or where its present name begins and
 * ends (both -1 while it has none). Names are read only when a fault was found.
 */
type Open =
  | { readonly close: ']'; index: number }
  | { readonly close: '}'; from: number; to: number };

const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39;
const isBlank = (code: number): boolean =>
  code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;

/** Longest word that is looked at: those that are repeated in a reason are much shorter. */
const MAX_WORD = 40;
const NO_NUMBER = /^[+-]?(?:nan|inf|infinity)$/i;
const OTHER_NULL = /^(?:none|null|nil|undefined|na|nat|nullptr)$/i;
const OTHER_FLAG = /^(?:true|false)$/i;

/**
 * Finds out what is wrong with a text that `JSON.parse` has refused. Looks once at each character up to
 * the fault, without recursion. Of the text it repeats names, and words that other languages have for
 * what JSON cannot say or spells otherwise (`NaN`, `None`): nothing else.
 * @returns null when the text is JSON
 */
export function faultOfJson(text: string): JsonFault | null {
  const scan = new Scan(text);
  const found = scan.run();
  if (found === null) {
    return null;
  }
  const { at, what, advice, isCutOff = false } = found;
  return { path: scan.path(), place: lineAndColumn(text, at), what, advice, isCutOff };
}

class Scan {
  private at = 0;
  private expected: Expected = 'value';
  private readonly open: Open[] = [];

  constructor(private readonly text: string) {}

  /** The place that was reached. */
  path(): Path {
    return this.open.flatMap((each): Path => {
      if (each.close === ']') {
        return [each.index];
      }
      return each.from < 0 ? [] : [nameOf(this.text.slice(each.from, each.to))];
    });
  }

  run(): Found | null {
    for (;;) {
      while (isBlank(this.text.charCodeAt(this.at))) {
        this.at += 1;
      }
      if (this.at >= this.text.length) {
        return this.expected === 'end' ? null : this.cutOff('ends before it is complete');
      }
      const found = this.strange() ?? this.step(this.text[this.at] as string);
      if (found !== null) {
        return found;
      }
    }
  }

  private step(char: string): Found | null {
    switch (this.expected) {
      case 'value':
      case 'value or end':
        return this.value(char);
      case 'name':
      case 'name or end':
        return this.name(char);
      case 'colon':
        if (char !== ':') {
          return this.fault('has no colon behind a name', 'put a colon there');
        }
        this.at += 1;
        this.expected = 'value';
        return null;
      case 'comma or end':
        return this.afterValue(char);
      case 'end':
        return '{["'.includes(char)
          ? this.fault('is followed by another JSON document', 'send one')
          : this.fault('is followed by something that is no part of it', 'remove that');
      default:
        return this.expected satisfies never;
    }
  }

  private value(char: string): Found | null {
    if (char === '{') {
      this.open.push({ close: '}', from: -1, to: -1 });
      return this.take('name or end');
    }
    if (char === '[') {
      this.open.push({ close: ']', index: 0 });
      return this.take('value or end');
    }
    if (char === '"') {
      return this.string() ?? this.valueEnded();
    }
    if (char === ']' && this.expected === 'value or end') {
      return this.close();
    }
    if (char === '-' || isDigit(char.charCodeAt(0))) {
      return this.number() ?? this.valueEnded();
    }
    const word = this.word();
    if (word === 'true' || word === 'false' || word === 'null') {
      this.at += word.length;
      return this.valueEnded();
    }
    return this.noValue(char, word);
  }

  private name(char: string): Found | null {
    const object = this.open.at(-1) as Extract<Open, { close: '}' }>;
    if (char === '"') {
      object.from = -1;
      const from = this.at;
      const found = this.string();
      if (found === null) {
        object.from = from;
        object.to = this.at;
        this.expected = 'colon';
      }
      return found;
    }
    if (char === '}' && this.expected === 'name or end') {
      return this.close();
    }
    object.from = -1;
    if (char === '}' || char === ',') {
      return this.fault('has a comma too many', 'remove it');
    }
    if (this.word() !== '' || isDigit(char.charCodeAt(0))) {
      return this.fault('has a name without quotes', 'put it in double quotes');
    }
    return (
      this.quote(char) ??
      this.fault('has something else than a name', 'put a name in double quotes')
    );
  }

  private afterValue(char: string): Found | null {
    const around = this.open.at(-1) as Open;
    if (char === around.close) {
      return this.close();
    }
    if (char === ',') {
      if (around.close === ']') {
        around.index += 1;
      }
      return this.take(around.close === ']' ? 'value' : 'name');
    }
    if (char === ']' || char === '}') {
      return this.fault(`has ${char} where ${around.close} must be`, 'close what was opened last');
    }
    return this.fault('has no comma behind a value', 'put a comma there, or remove what follows');
  }

  private close(): null {
    this.open.pop();
    this.at += 1;
    return this.valueEnded();
  }

  private valueEnded(): null {
    this.expected = this.open.length === 0 ? 'end' : 'comma or end';
    return null;
  }

  private take(next: Expected): null {
    this.at += 1;
    this.expected = next;
    return null;
  }

  /** What stands where a value must be, and is none. */
  private noValue(char: string, word: string): Found {
    if (NO_NUMBER.test(word)) {
      return this.notFinite(word);
    }
    if (OTHER_NULL.test(word)) {
      return this.fault(`is ${word}, which JSON does not have`, 'send null, or leave it out');
    }
    if (OTHER_FLAG.test(word)) {
      return this.fault(`is ${word}`, `JSON spells it ${word.toLowerCase()}`);
    }
    if (word !== '') {
      return this.fault('is a word without quotes', 'put text in double quotes');
    }
    if (char === ',' || char === ']' || char === '}') {
      return char === '}' || this.open.length === 0
        ? this.fault('has no value here', 'put one there')
        : this.fault('has a comma too many', 'remove it');
    }
    if (char === '+' || char === '.') {
      return this.signed(char);
    }
    return this.quote(char) ?? this.fault('is no JSON value', 'send a JSON document');
  }

  private signed(char: string): Found {
    const literal = char + this.word(this.at + 1);
    if (NO_NUMBER.test(literal)) {
      return this.notFinite(literal);
    }
    return char === '+'
      ? this.fault('is a number with a plus sign', 'leave the sign out')
      : this.fault('is a number without a digit before its point', 'put a 0 there');
  }

  private notFinite(literal: string): Found {
    return this.fault(
      `is ${literal}, which JSON does not have`,
      'send null or a finite number, or leave it out',
    );
  }

  private number(): Found | null {
    const from = this.at;
    let at = from + (this.text[from] === '-' ? 1 : 0);
    if (!isDigit(this.text.charCodeAt(at))) {
      const literal = `-${this.word(at)}`;
      return NO_NUMBER.test(literal)
        ? this.notFinite(literal)
        : this.fault('is a sign without a number', 'write it in decimal digits');
    }
    const isZero = this.text[at] === '0';
    const radix = isZero && /[xob]/i.test(this.text[at + 1] ?? '');
    if (radix) {
      return this.fault('is a number that is not decimal', 'write it in decimal digits');
    }
    if (isZero && isDigit(this.text.charCodeAt(at + 1))) {
      return this.fault('is a number with a leading zero', 'leave the zero out');
    }
    at = this.digits(at);
    if (this.text[at] === '.') {
      if (!isDigit(this.text.charCodeAt(at + 1))) {
        return this.text[at + 1] === '#'
          ? this.notFinite('NaN or Infinity')
          : this.fault('is a number without a digit behind its point', 'put a 0 there');
      }
      at = this.digits(at + 1);
    }
    if (this.text[at] === 'e' || this.text[at] === 'E') {
      const sign = '+-'.includes(this.text[at + 1] || ' ') ? 1 : 0;
      if (!isDigit(this.text.charCodeAt(at + 1 + sign))) {
        return this.fault('is a number with an empty exponent', 'write it in decimal digits');
      }
      at = this.digits(at + 1 + sign);
    }
    if (/[\w$.+-]/.test(this.text[at] ?? '')) {
      return this.fault('is a number with something behind it', 'write it in decimal digits');
    }
    this.at = at;
    return null;
  }

  private digits(from: number): number {
    let at = from;
    while (isDigit(this.text.charCodeAt(at))) {
      at += 1;
    }
    return at;
  }

  private string(): Found | null {
    for (let at = this.at + 1; at < this.text.length; at += 1) {
      const code = this.text.charCodeAt(at);
      if (code === 0x22) {
        this.at = at + 1;
        return null;
      }
      if (code < 0x20) {
        this.at = at;
        return this.fault(
          `has ${NAMED[code] ?? `the character ${codeOf(code)}`} within a string`,
          code === 0
            ? 'remove it'
            : `write it as ${JSON.stringify(String.fromCharCode(code)).slice(1, -1)}`,
        );
      }
      if (code === 0x5c) {
        const escape = this.text.slice(at + 1, at + 6);
        if (/^u[0-9a-f]{4}/i.test(escape)) {
          at += 5;
        } else if (/^["\\/bfnrt]/.test(escape)) {
          at += 1;
        } else if (at + 6 > this.text.length && /^(?:u[0-9a-f]*)?$/i.test(escape)) {
          break;
        } else {
          this.at = at;
          return this.fault(
            'has an escape within a string that JSON does not have',
            'write \\\\ for a backslash, and \\u0041 for a character by its number',
          );
        }
      }
    }
    this.at = this.text.length;
    return this.cutOff('ends within a string');
  }

  /** What may stand nowhere, and is easily taken for something that may. */
  private strange(): Found | null {
    const char = this.text[this.at] as string;
    if (char === '#' || /^\/[/*]/.test(this.text.slice(this.at, this.at + 2))) {
      return this.fault('has a comment', 'remove it');
    }
    const code = char.charCodeAt(0);
    if (code === 0) {
      return this.fault('has the character U+0000', 'encode it as UTF-8, not as UTF-16');
    }
    return code < 0x20 || /[\s\u200b\u2060\ufeff]/.test(char)
      ? this.fault(`has the character ${codeOf(code)} between its values`, 'remove it')
      : null;
  }

  private quote(char: string): Found | null {
    if (char === "'") {
      return this.fault('has single quotes', 'use double quotes');
    }
    return /[`\u2018\u2019\u201c\u201d\u00ab\u00bb]/.test(char)
      ? this.fault('has quotes of another kind', 'use plain double quotes')
      : null;
  }

  /** Letters, digits, `_` and `$` that begin with none of the digits; empty: there is no word. */
  private word(from = this.at): string {
    return /^[A-Za-z_$][\w$]*/.exec(this.text.slice(from, from + MAX_WORD))?.[0] ?? '';
  }

  private fault(what: string, advice: string): Found {
    return { at: this.at, what, advice };
  }

  private cutOff(what: string): Found {
    return { at: this.at, what, advice: 'send the whole of it', isCutOff: true };
  }
}

const NAMED: Readonly<Record<number, string>> = {
  9: 'a tab',
  10: 'a line break',
  13: 'a line break',
};

const codeOf = (code: number): string => `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;

/** The name that a string literal spells. */
const nameOf = (literal: string): string => JSON.parse(literal) as string;
