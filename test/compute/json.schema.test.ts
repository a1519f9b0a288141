import { describe, expect, it } from 'vitest';
import { JsonSchema } from '../../src/compute/schema/json.schema.js';

const fault = (schema: object, value: unknown) =>
  new JsonSchema({ type: 'object', ...schema }).faultOf(value, 'parameters');

const properties = (members: object) => ({ properties: members });

describe('a JSON Schema of a manifest', () => {
  it.each([
    [{ required: ['a'] }, {}, 'parameters.a', 'is required'],
    [{ additionalProperties: false }, { b: 1 }, 'parameters.b', 'is not a known member'],
    [{ unevaluatedProperties: false }, { 'b c': 1 }, 'parameters["b c"]', 'is not a known member'],
    [properties({ a: { type: 'number' } }), { a: 'x' }, 'parameters.a', 'must be number'],
    [
      properties({ a: { enum: ['u', 'v'] } }),
      { a: 'x' },
      'parameters.a',
      'must be one of "u", "v"',
    ],
    [properties({ a: { const: 5 } }), { a: 'x' }, 'parameters.a', 'must be 5'],
    [
      properties({ a: { type: 'array', items: { type: 'number', minimum: 0 } } }),
      { a: [0, 1, 2, -1] },
      'parameters.a[3]',
      'must be >= 0',
    ],
    [
      properties({ 'a/~b': { properties: { 0: { type: 'null' } } } }),
      { 'a/~b': { 0: 1 } },
      'parameters["a/~b"].0',
      'must be null',
    ],
    [{ required: ['constructor'] }, {}, 'parameters.constructor', 'is required'],
    [
      { propertyNames: { maxLength: 2 } },
      { abc: 1 },
      'parameters.abc',
      'has a name that is not allowed',
    ],
  ])('%j says where %j is wrong, and why', (schema, value, name, reason) => {
    expect(fault(schema, value)).toEqual({ name, reason });
  });

  it('lets the branch of a choice speak that came closest', () => {
    const schema = properties({
      target: {
        oneOf: [
          { type: 'array' },
          { type: 'object', properties: { grid: { required: ['size'], type: 'object' } } },
        ],
      },
    });
    expect(fault(schema, { target: { grid: {} } })).toEqual({
      name: 'parameters.target.grid.size',
      reason: 'is required',
    });
  });

  it('never repeats what was sent', () => {
    const schema = properties({ a: { type: 'string', maxLength: 3, pattern: '^a' } });
    for (const a of ['secret-value', 'sec', 12345]) {
      expect(JSON.stringify(fault(schema, { a }))).not.toMatch(/sec|12345/);
    }
  });

  it('looks no further than the first fault of a million', () => {
    const schema = properties({ a: { type: 'array', items: { type: 'number' } } });
    const read = new Set<string>();
    const a = new Proxy(
      Array.from({ length: 1_000_000 }, () => 'x'),
      {
        get(list, name) {
          if (/^\d+$/.test(String(name))) read.add(String(name));
          return Reflect.get(list, name) as unknown;
        },
      },
    );
    expect(fault(schema, { a })).toMatchObject({ name: 'parameters.a[0]' });
    expect([...read]).toEqual(['0']);
  });

  it('does not try a pattern on a long text: it does not match', () => {
    const schema = properties({ a: { type: 'string', pattern: '^[ a]+$' } });
    expect(fault(schema, { a: 'a'.repeat(10_000) })).toBeNull();
    expect(fault(schema, { a: ' '.repeat(1_000_000) })).toMatchObject({
      reason: expect.stringContaining('with at most 10000 characters'),
    });
  });

  it('takes patterns whose time grows with the text, and no faster', () => {
    for (const pattern of ['^[a-z]+(-[a-z]+)*$', '^\\p{L}+$', '^[A-Z]{2}-\\d{4}$', '^a|b$']) {
      expect(
        () => new JsonSchema({ type: 'object', properties: { a: { pattern } } }),
      ).not.toThrow();
    }
  });

  it('fills in defaults only when it is asked to', () => {
    const schema = new JsonSchema({
      type: 'object',
      properties: { a: { type: 'number', default: 5 } },
    });
    const value = {};
    expect(schema.faultOf(value, '')).toBeNull();
    expect(value).toEqual({});
    expect(schema.fillAndFaultOf(value, '')).toBeNull();
    expect(value).toEqual({ a: 5 });
  });

  it.each([
    [{ type: 'array' }, /needs "type": "object"/],
    [{ type: 'object', propertys: {} }, /propertys/],
    [{ type: 'object', properties: { a: { type: 'nmber' } } }, /type/],
    [{ type: 'object', properties: { a: { pattern: '(' } } }, /regular expression/i],
    [{ type: 'object', properties: { a: { pattern: '^(a+)+$' } } }, /takes time.*exponential/],
    [{ type: 'object', properties: { a: { pattern: '\\s+$' } } }, /takes time.*2nd degree/],
    [{ type: 'object', patternProperties: { '^(a|a)*$': {} } }, /takes time.*exponential/],
    [{ type: 'object', propertyNames: { pattern: '(x+x+)+y' } }, /takes time.*exponential/],
    [{ type: 'object', properties: { a: { $ref: '#/$defs/none' } } }, /#\/\$defs\/none/],
    [{ type: 'object', properties: { a: { $ref: 'https://x.example/y' } } }, /x\.example/],
    [{ type: 'object', properties: { a: { uniqueItems: true } } }, /properties\.a has uniqueItems/],
  ])('%j is refused, and says why', (schema, message) => {
    expect(() => new JsonSchema(schema)).toThrow(message);
  });
});
