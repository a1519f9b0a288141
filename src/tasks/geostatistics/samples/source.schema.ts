import { z } from 'zod';
import { attributesSchema, otherLengths } from './attributes.schema.js';
import { coordinatesSchema, numbersSchema } from '../coordinates.schema.js';
import { attributeMistakes, filterSchema } from './filter.schema.js';

/** Most samples of one estimation: the search index and its arrays then take about 20 MB. */
export const MAX_SAMPLES = 200_000;

/** Largest absolute sample value: its square still sums over any number of pairs. */
const LARGEST_VALUE = 1e100;

/**
 * Samples: locations and one measured value each.
 * @param most samples allowed
 */
export function sourceSchema(most = MAX_SAMPLES) {
  return z
    .strictObject({
      coordinates: coordinatesSchema(
        most,
        'Sample locations, all [x, y] or all [x, y, z], in any one unit of length',
      ),
      values: numbersSchema(
        most,
        LARGEST_VALUE,
        'The measured value of each sample, in the same order',
      ),
      attributes: attributesSchema('sample', most)
        .nullish()
        .meta({ description: 'What the filter reads: a list of numbers or texts for each name' }),
      filter: filterSchema.nullish().meta({ description: 'Which samples are used' }),
    })
    .check((context) => {
      if (context.issues.length > 0) return;
      const { coordinates, values, attributes, filter } = context.value;
      if (coordinates.length !== values.length) {
        context.issues.push({
          code: 'custom',
          input: values,
          path: ['values'],
          message: `Expected one value for each of the ${coordinates.length} coordinates, not ${values.length}`,
        });
      }
      const refuse = (member: string, path: (string | number)[], message: string) =>
        context.issues.push({
          code: 'custom',
          input: context.value,
          path: [member, ...path],
          message,
        });
      const known = attributes ?? {};
      for (const { path, message } of otherLengths(known, coordinates.length, 'coordinates')) {
        refuse('attributes', path, message);
      }
      if (!filter) return;
      for (const { path, message } of attributeMistakes(filter, known, 'source')) {
        refuse('filter', path, message);
      }
    })
    .meta({ description: 'The samples' });
}

export type Source = z.output<ReturnType<typeof sourceSchema>>;
