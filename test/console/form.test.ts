import { describe, expect, it } from 'vitest';
import kriging from '../../src/tasks/geostatistics/kriging/kriging.task.js';
import { jsonSchemaOf } from '../../src/compute/schema/task.schema.js';
import { csvTable } from '../../packages/console/src/form/csv-table.js';
import { mapped, suggested } from '../../packages/console/src/form/csv-mapping.js';
import {
  beginningOf,
  branchOf,
  type JsonSchema,
  resolved,
  type Shape,
  shapeOf,
} from '../../packages/console/src/form/json-schema.js';
import { unpack } from '../../packages/console/src/document/packed.js';

const bytes = (text: string) => new TextEncoder().encode(text);
const shape = (schema: JsonSchema, root: JsonSchema = schema) =>
  shapeOf(resolved(schema, root), root);

describe('a form from a JSON Schema', () => {
  it('has a field for each kind of value, and JSON for what a schema leaves open', () => {
    const kinds = (schemas: JsonSchema[]) => schemas.map((schema) => shape(schema).kind);
    expect(
      kinds([
        { type: 'number' },
        { type: 'integer' },
        { type: 'string' },
        { type: 'boolean' },
        { enum: ['a', 'b'] },
        { const: 1 },
        { type: 'array', items: { type: 'number' } },
        {
          type: 'array',
          items: { type: 'array', minItems: 2, maxItems: 3, items: { type: 'number' } },
        },
        { type: 'array', items: { type: 'object', properties: {} } },
        { type: 'object', properties: { a: {} } },
        { oneOf: [{ type: 'string' }, { type: 'number' }] },
        { type: 'object' },
        {},
      ]),
    ).toEqual([
      'number',
      'number',
      'text',
      'boolean',
      'choice-of-values',
      'constant',
      'numbers',
      'rows',
      'list',
      'object',
      'choice',
      'anything',
      'anything',
    ]);
  });

  it('follows references, and ends where they lead in a circle or nowhere', () => {
    const root: JsonSchema & Record<string, unknown> = {
      $defs: {
        tree: {
          type: 'object',
          required: ['left'],
          properties: { left: { $ref: '#/$defs/tree' }, 'a/b': { type: 'string' } },
        },
        loop: { $ref: '#/$defs/loop' },
      },
      $ref: '#/$defs/tree',
    };
    expect(shape(root).kind).toBe('object');
    expect(shape({ $ref: '#/$defs/loop' }, root).kind).toBe('anything');
    expect(shape({ $ref: '#/$defs/none' }, root).kind).toBe('anything');
    expect(shape({ $ref: '#/$defs/tree/properties/a~1b' }, root).kind).toBe('text');
    // As deep as somebody asks for, and not for ever.
    expect(JSON.stringify(beginningOf(root, root)).length).toBeLessThan(200);
  });

  it('chooses a branch by its discriminator, or by the members that a value has', () => {
    const choice = (schema: JsonSchema) => shape(schema) as Shape & { kind: 'choice' };
    const told = choice({
      oneOf: [
        { type: 'object', properties: { type: { const: 'ordinary' } } },
        { type: 'object', properties: { type: { const: 'simple' }, mean: { type: 'number' } } },
      ],
      discriminator: { propertyName: 'type' },
    });
    expect(told.by).toBe('type');
    expect(branchOf(told, { type: 'simple', mean: 3 })).toBe(1);
    const plain = choice({
      anyOf: [{ type: 'string' }, { type: 'object', properties: { x: {} } }],
    });
    expect(branchOf(plain, 'text')).toBe(0);
    expect(branchOf(plain, { x: 1 })).toBe(1);
  });

  it('has all of the kriging task: what stands for each other, and the discriminator that is served', () => {
    const root = jsonSchemaOf(kriging.parameters, 'input') as JsonSchema;
    const { members } = shape(root) as Shape & { kind: 'object' };
    expect(members.filter(({ required }) => required).map(({ name }) => name)).toEqual([
      'source',
      'target',
      'variogram',
      'neighborhood',
    ]);
    const target = members.find(({ name }) => name === 'target')?.schema ?? {};
    expect(shape(target, root)).toMatchObject({ kind: 'object', either: ['coordinates', 'grid'] });
    expect(root.properties?.kriging_method).toMatchObject({
      discriminator: { propertyName: 'type' },
    });
  });
});

describe('a CSV file', () => {
  it('is read with its delimiter, its head, quotes and decimal commas', () => {
    const comma = csvTable(bytes('"x","y","zinc"\n1,2,30\n4,5,60\n'));
    expect(comma.columns.map(({ name }) => name)).toEqual(['x', 'y', 'zinc']);
    expect([...(comma.columns[2]?.values ?? [])]).toEqual([30, 60]);
    const german = csvTable(bytes('Ost;Nord;Wert\r\n1,5;2,25;3\r\n'));
    expect(german.columns.map(({ values }) => values[0])).toEqual([1.5, 2.25, 3]);
    expect(csvTable(bytes('1 2 3\n4 5 6\n')).columns[0]?.name).toBe('Column 1');
    expect(csvTable(bytes('a,b\n"x, ""y""",2\n')).preview[0]).toEqual(['x, "y"', '2']);
  });

  it('is read in UTF-16 and Windows-1252 as well, and says so', () => {
    const utf16 = new Uint8Array([0xff, 0xfe, ...Buffer.from('x,y\n1,2', 'utf16le')]);
    expect(csvTable(utf16)).toMatchObject({ rows: 1, encoding: 'UTF-16' });
    const windows = new Uint8Array([...bytes('x,h'), 0xf6, ...bytes('he\n1,2')]);
    const table = csvTable(windows);
    expect(table.encoding).toBe('Windows-1252');
    expect(table.columns[1]?.name).toBe('höhe');
  });

  it('that is none is refused in words', () => {
    expect(() => csvTable(bytes('  \n'))).toThrow('empty');
    expect(() => csvTable(bytes('x,y\n'))).toThrow('no rows');
    expect(() => csvTable(new Uint8Array([80, 75, 3, 4, 0, 0, 0]))).toThrow('no text file');
  });

  it('fills coordinates and values; rows without a number are left out and told', () => {
    const table = csvTable(bytes('x,y,zinc\n1,2,10\n3,4,NA\n5,6,oops\n7,8,0\n9,10,100\n'));
    const mapping = suggested(table, 3, ['values']);
    expect(mapping).toEqual({ places: [0, 1, -1], numbers: { values: 2 }, logarithm: false });
    const plain = mapped(table, mapping, 'coordinates');
    expect(plain.rows).toBe(3);
    expect(plain.told).toContain('2 rows without a number');
    expect(plain.told).toContain('Line 4');
    const logs = mapped(table, { ...mapping, logarithm: true }, 'coordinates');
    expect(unpack(logs.members.coordinates ?? null)).toEqual([
      [1, 2],
      [9, 10],
    ]);
    expect(unpack(logs.members.values ?? null)).toEqual([Math.log(10), Math.log(100)]);
  });

  it('of a million lines is read in seconds', () => {
    const text = Array.from({ length: 1_000_000 }, (_, row) => `${row},${row * 2},${row / 7}`);
    const table = csvTable(bytes(`x,y,v\n${text.join('\n')}`));
    expect(table.rows).toBe(1_000_000);
    expect(table.columns[2]?.values.at(-1)).toBeCloseTo(999_999 / 7);
  });
});
