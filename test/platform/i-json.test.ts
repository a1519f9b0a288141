import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseIJson } from '../../src/platform/http/body/i-json.js';
import { Problem } from '../../src/platform/http/problem/problem.js';

const parse = (text: string) => parseIJson(Buffer.from(text));

function refusal(text: string): Problem {
  try {
    parse(text);
  } catch (error) {
    return error as Problem;
  }
  throw new Error('was not refused');
}

/** What JSON can say and a database can keep. */
const storable = fc.jsonValue({ maxDepth: 6 }).filter((value) => {
  const text = JSON.stringify(value);
  return (
    !/\\u(0000|d[89a-f]..)/.test(text) &&
    !text.includes('__proto__') &&
    !/(^|[^.\d])\d{16,}/.test(text)
  );
});

describe('bodies as I-JSON', () => {
  it('are kept as they are', () => {
    fc.assert(
      fc.property(storable, (value) => {
        // A round trip first: JSON has no -0.
        const plain: unknown = JSON.parse(JSON.stringify(value));
        expect(parse(JSON.stringify(value))).toEqual(plain);
        expect(parse(`\uFEFF ${JSON.stringify(value, null, 2)}\n`)).toEqual(plain);
      }),
    );
  });

  it('are refused whenever an object has a member twice, however it is spelled', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 20 }), storable, (name, value) => {
        fc.pre(!name.includes('\u0000') && name.isWellFormed() && name !== '__proto__');
        fc.pre(name.codePointAt(0)! < 0x10000);
        const key = JSON.stringify(name);
        const escaped = `"\\u${name.charCodeAt(0).toString(16).padStart(4, '0')}${JSON.stringify(name.slice(1)).slice(1)}`;
        const text = `{"a":[{${key}:${JSON.stringify(value)},${escaped}:1}]}`;
        expect(refusal(text).slug).toBe('malformed-request');
      }),
    );
  });

  it.each([
    ['{"a":{"b":[1,"x\\u0000"]}}', 'a.b[1]'],
    ['{"a":{"x\\u0000y":1}}', 'a["x\\u0000y"]'],
    ['{"a":["\\ud800"]}', 'a[0]'],
    ['{"a":[1,2,9007199254740993]}', 'a[2]'],
    ['{"a":-123456789012345678901234567890}', 'a'],
    ['{"a":1e400}', 'a'],
    ['{"a":{"__proto__":{}}}', 'a.__proto__'],
  ])('%s is refused with its place', (text, place) => {
    const problem = refusal(text);
    expect(problem.slug).toBe('invalid-parameters');
    expect(problem.extra.invalidParams?.[0]?.name).toBe(place);
  });

  it.each([
    '1.2345678901234567890',
    '1e-1234567890123456',
    '9007199254740991',
    '1e300',
    '-0',
    '1.0',
  ])('%s is a number that can be kept', (text) => {
    expect(parse(`{"a":${text}}`)).toEqual({ a: Number(text) });
  });

  it('may be nested 64 levels deep, and no deeper', () => {
    const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);
    expect(parse(nested(64))).toBeInstanceOf(Array);
    for (const levels of [65, 200, 100_000]) {
      expect(refusal(nested(levels)).slug).toBe('invalid-parameters');
    }
  });

  it('may hold one huge string, eight million escapes, or a million numbers', () => {
    const sixteen = 16 * 1024 * 1024 - 100;
    expect(parse(`{"a":"${'x'.repeat(sixteen)}"}`)).toBeInstanceOf(Object);
    expect(parse(`{"a":"${'\\n'.repeat(sixteen / 2)}"}`)).toBeInstanceOf(Object);
    expect(parse(`{"a":[${'1.5,'.repeat(999_999)}2]}`)).toBeInstanceOf(Object);
  });

  it('are not UTF-8, not JSON, or empty: malformed', () => {
    expect(() => parseIJson(Buffer.from([0x22, 0xff, 0x22]))).toThrow(/malformed-request/);
    for (const text of ['', ' ', '{', '{"a":1,}', "{'a':1}", 'NaN', '[1]x']) {
      expect(refusal(text).slug).toBe('malformed-request');
      expect(refusal(text).detail).not.toMatch(/position|token|Unexpected/);
    }
  });
});

describe('the number of objects and arrays', () => {
  it('is bounded, and refused before the parser makes them', () => {
    const body = (count: number) => Buffer.from(`{"a":[${'[],'.repeat(count - 3)}[]]}`);
    expect(() => parseIJson(body(1_100_000))).not.toThrow();
    expect(() => parseIJson(body(1_100_001))).toThrow(
      expect.objectContaining({ slug: 'invalid-parameters' }),
    );
  });
});
