import { z } from 'zod';
import { attributesSchema, otherLengths } from '../samples/attributes.schema.js';
import { type Coordinates, coordinatesSchema, LARGEST_COORDINATE } from '../coordinates.schema.js';
import { attributeMistakes, filterSchema } from '../samples/filter.schema.js';

/** Most points of one estimation: values and variances then take 32 MB, and about 80 MB as JSON. */
export const MAX_TARGETS = 2_000_000;

const coordinate = z.number().min(-LARGEST_COORDINATE).max(LARGEST_COORDINATE);
const perAxis = <T extends z.ZodType>(item: T) => z.array(item).min(2).max(3);

const gridSchema = z
  .strictObject({
    origin: perAxis(coordinate).meta({
      description:
        'The corner of the grid with the smallest coordinates (a corner of the first cell, not its centre)',
    }),
    spacing: perAxis(z.number().min(1e-9).max(LARGEST_COORDINATE)).meta({
      description: 'Size of a cell along each axis, in the unit of the coordinates',
    }),
    size: perAxis(z.int().min(1).max(MAX_TARGETS)).meta({
      description: 'Number of cells along each axis',
    }),
  })
  .check((context) => {
    if (context.issues.length > 0) return;
    const { origin, spacing, size } = context.value;
    const refuse = (path: string, message: string) =>
      context.issues.push({ code: 'custom', input: context.value, path: [path], message });
    for (const [name, list] of Object.entries({ spacing, size })) {
      if (list.length !== origin.length) {
        refuse(name, `Expected ${origin.length} numbers, as in origin, not ${list.length}`);
      }
    }
    const cells = size.reduce((product, count) => product * count, 1);
    if (cells > MAX_TARGETS) refuse('size', `Expected at most ${MAX_TARGETS} cells, not ${cells}`);
  })
  .meta({
    description:
      'A regular grid. Cell (i, j, k) has its centre at origin + (i + 0.5, j + 0.5, k + 0.5) · spacing; ' +
      'results list the cells with i running fastest, then j, then k',
  });

/** Where to estimate: a list of locations, or the cells of a regular grid. */
export const targetSchema = z
  .strictObject({
    coordinates: coordinatesSchema(
      MAX_TARGETS,
      'Locations to estimate at, of the same dimension as the samples',
    ).optional(),
    grid: gridSchema.optional(),
    attributes: attributesSchema('point or cell', MAX_TARGETS)
      .nullish()
      .meta({ description: 'What the filter reads: a list of numbers or texts for each name' }),
    filter: filterSchema.nullish().meta({ description: 'Which points or cells are estimated' }),
  })
  .check((context) => {
    if (context.issues.length > 0) return;
    const { coordinates, grid, attributes, filter } = context.value;
    if ((coordinates === undefined) === (grid === undefined)) {
      const message = 'Expected either coordinates or grid';
      context.issues.push({ code: 'custom', input: context.value, path: [], message });
      return;
    }
    const refuse = (member: string, path: (string | number)[], message: string) =>
      context.issues.push({
        code: 'custom',
        input: context.value,
        path: [member, ...path],
        message,
      });
    const known = attributes ?? {};
    const noun = grid ? 'cells' : 'coordinates';
    for (const { path, message } of otherLengths(known, countOf(context.value), noun)) {
      refuse('attributes', path, message);
    }
    if (!filter) return;
    for (const { path, message } of attributeMistakes(filter, known, 'target')) {
      refuse('filter', path, message);
    }
  })
  .meta({
    description: 'Where to estimate: either coordinates or grid',
    oneOf: [{ required: ['coordinates'] }, { required: ['grid'] }],
  });

export type Target = z.output<typeof targetSchema>;
/** How many points or cells a target has. */
export function countOf({ grid, coordinates }: Pick<Target, 'grid' | 'coordinates'>): number {
  return grid
    ? grid.size.reduce((product, cells) => product * cells, 1)
    : (coordinates?.length ?? 0);
}

export type Grid = z.output<typeof gridSchema>;

interface Refinement {
  readonly value: { source: { coordinates: Coordinates }; target: Target };
  readonly issues: z.core.$ZodRawIssue[];
}

/** Refuses a target of another dimension than the samples. */
export function refuseOtherDimension({ value, issues }: Refinement): void {
  if (issues.length > 0) return;
  const { source, target } = value;
  const expected = source.coordinates[0]?.length;
  const [path, given] = target.grid
    ? [['target', 'grid', 'origin'], target.grid.origin.length]
    : [['target', 'coordinates'], target.coordinates?.[0]?.length];
  if (given === expected) return;
  const message = `Expected ${expected} coordinates, as in source, not ${given}`;
  issues.push({ code: 'custom', input: target, path, message });
}
