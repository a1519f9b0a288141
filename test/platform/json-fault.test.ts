import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseIJson } from '../../src/platform/http/body/i-json.js';
import { faultOfJson } from '../../src/platform/http/body/json-fault.js';
import type { Problem } from '../../src/platform/http/problem/problem.js';

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

function detailOf(text: string): string {
  try {
    parseIJson(Buffer.from(text));
  } catch (error) {
    return (error as Problem).detail;
  }
  throw new Error('was not refused');
}

/** Pieces of JSON, and of what is taken for it. */
const PIECES = [
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '"',
  '"a"',
  '"\\n"',
  '"\\u00e9"',
  '\\',
  '/',
  '//',
  "'",
  '0',
  '1',
  '-',
  '+',
  '.',
  'e',
  '1.5e-3',
  '01',
  'true',
  'null',
  'NaN',
  'None',
  ' ',
  '\n',
  '\0',
  '\u00a0',
  '\ufeff',
  'é',
  '😀',
  '\ud800',
  'u0041',
  'Infinity',
];
const piece = fc.constantFrom(...PIECES);

describe('the fault of a text that is no JSON', () => {
  it('is found just when the parser refuses the text', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const text = pieces.join('');
        expect(faultOfJson(text) === null).toBe(isJson(text));
      }),
      { numRuns: 5_000 },
    );
  });

  it('is found in JSON of any form that was damaged at one place, and not before that place', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.nat(), piece, fc.boolean(), (value, where, put, indented) => {
        const text = JSON.stringify(value, null, indented ? 2 : 0);
        const at = where % text.length;
        const damaged = text.slice(0, at) + put + text.slice(at + 1);
        const fault = faultOfJson(damaged);
        expect(fault === null).toBe(isJson(damaged));
        expect(faultOfJson(text)).toBeNull();
        // What was cut off anywhere could have gone on, but within a number or a word.
        const cut = text.slice(0, at);
        if (!isJson(cut) && /["{[,:\s]$/.test(cut)) {
          expect(faultOfJson(cut)?.isCutOff).toBe(true);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ['{"parameters": {"seconds": NaN}}', 'parameters.seconds is NaN,', 1, 28],
    ['{"parameters": {"seconds": nan}}', 'parameters.seconds is nan,', 1, 28],
    ['{"a": [1, -Infinity]}', 'a[1] is -Infinity,', 1, 11],
    ['{"a": Infinity}', 'a is Infinity,', 1, 7],
    ['{"a": +Infinity}', 'a is +Infinity,', 1, 7],
    ['{"a": -inf}', 'a is -inf,', 1, 7],
    ['{"a": -1.#IND}', 'a is NaN or Infinity,', 1, 7],
    ['{\n  "a": {\n    "é": [[], [0, undefined]]}}', 'a["é"][1][1] is undefined,', 3, 19],
    ['{"a": None}', 'a is None,', 1, 7],
    ['{"a": NA}', 'a is NA,', 1, 7],
    ['{"a": True}', 'a is True', 1, 7],
    ['{"a": FALSE}', 'a is FALSE', 1, 7],
    ["{'a': 1}", 'The body has single quotes', 1, 2],
    ['{"a": “b”}', 'a has quotes of another kind', 1, 7],
    ['{a: 1}', 'The body has a name without quotes', 1, 2],
    ['{"a": 1} // x', 'The body has a comment', 1, 10],
    ['{/* x */"a": 1}', 'The body has a comment', 1, 2],
    ['# x\n{}', 'The body has a comment', 1, 1],
    ['{"a": 1,\r\n}', 'The body has a comma too many', 2, 1],
    ['{"a": [1,]}', 'a[1] has a comma too many', 1, 10],
    ['[1,,2]', '[1] has a comma too many', 1, 4],
    ['{"a": 0x1F}', 'a is a number that is not decimal', 1, 7],
    ['{"a": 007}', 'a is a number with a leading zero', 1, 7],
    ['{"a": +1}', 'a is a number with a plus sign', 1, 7],
    ['{"a": .5}', 'a is a number without a digit before its point', 1, 7],
    ['{"a": 5.}', 'a is a number without a digit behind its point', 1, 7],
    ['{"a": 1e}', 'a is a number with an empty exponent', 1, 7],
    ['{"a": 1_000}', 'a is a number with something behind it', 1, 7],
    ['{"a": "b\tc"}', 'a has a tab within a string', 1, 9],
    ['{"a": "b\nc"}', 'a has a line break within a string', 1, 9],
    ['{"a": "C:\\Users"}', 'a has an escape within a string', 1, 10],
    ['{"a": "\\u00g1"}', 'a has an escape within a string', 1, 8],
    ['{"a": 1 "b": 2}', 'a has no comma behind a value', 1, 9],
    ['{"a"; 1}', 'a has no colon behind a name', 1, 5],
    ['[1}', '[0] has } where ] must be', 1, 3],
    ['{"a": {"b": "c', 'a.b ends within a string', 1, 15],
    ['{"a": {"b": ', 'a.b ends before it is complete', 1, 13],
    ['{}{}', 'The body is followed by another JSON document', 1, 3],
    ['{} x', 'The body is followed by something that is no part of it', 1, 4],
    ['{\u00a0"a": 1}', 'The body has the character U+00A0 between its values', 1, 2],
    ['{"😀": "😀", "a": NaN}', 'a is NaN,', 1, 17],
    ['a=1&b=2', 'The body is a word without quotes', 1, 1],
    ['<a/>', 'The body is no JSON value', 1, 1],
  ])('%j: says what it is, and where', (text, beginning, line, column) => {
    expect(detailOf(text)).toMatch(/^[^\n]+ \(line \d+, column \d+\): [^\n]+\.$/);
    expect(detailOf(text).slice(0, beginning.length)).toBe(beginning);
    expect(detailOf(text)).toContain(`(line ${line}, column ${column})`);
  });

  it('repeats nothing of the text but names and words that stand for no value', () => {
    for (const text of ['{"a": secret}', '{"a": "secret', '{"a": secret-1}', '{"a": 1secret}']) {
      expect(detailOf(text)).not.toContain('secret');
    }
    expect(detailOf(`{"${'n'.repeat(5_000)}": NaN}`).length).toBeLessThan(300);
  });

  it('of bytes that are no UTF-8 is told by what they seem to be', () => {
    const utf16 = Buffer.from('\ufeff{"a": 1}', 'utf16le');
    expect(() => parseIJson(utf16)).toThrow(/UTF-16/);
    expect(() => parseIJson(Buffer.from([0x1f, 0x8b, 8, 0]))).toThrow(/compressed/);
    expect(() => parseIJson(Buffer.from([0x7b, 0xff]))).toThrow(/encode it as UTF-8/);
  });
});
