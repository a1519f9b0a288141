import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  asComponent,
  componentsOf,
  referenceTo,
} from '../../src/platform/http/openapi/components.js';

const PIT = z.strictObject({ at: z.iso.datetime() }).meta({ id: 'Pit' });
const MINE = z
  .strictObject({
    depth: z.int().min(0),
    pit: PIT.optional().describe('If any.'),
    pits: z.array(PIT),
  })
  .meta({ id: 'Mine', description: 'A mine.' });

describe('bodies as components of the OpenAPI document', () => {
  it('refer to each other by name', () => {
    const { Mine } = componentsOf([PIT, MINE]);
    expect(Mine).toEqual({
      type: 'object',
      description: 'A mine.',
      required: ['depth', 'pits'],
      properties: {
        depth: { type: 'integer', minimum: 0 },
        pit: { ...referenceTo(PIT), description: 'If any.' },
        pits: { type: 'array', items: { $ref: '#/components/schemas/Pit' } },
      },
    });
  });

  it('leave room for members of later versions, and patterns to formats', () => {
    expect(componentsOf([PIT]).Pit).toEqual({
      type: 'object',
      required: ['at'],
      properties: { at: { type: 'string', format: 'date-time' } },
    });
  });

  it('need a name', () => {
    expect(() => componentsOf([z.strictObject({})])).toThrow('needs an id');
  });

  it('keep what the schema of a task says of itself where it lies', () => {
    const schema = { $schema: 'x', $id: 'y', properties: { next: { $ref: '#/$defs/node' } } };
    expect(asComponent(schema, 'Tree')).toEqual({
      properties: { next: { $ref: '#/components/schemas/Tree/$defs/node' } },
    });
  });
});
