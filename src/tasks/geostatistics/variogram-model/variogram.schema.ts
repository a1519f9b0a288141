import { z } from 'zod';
import { ellipsoidSchema } from '../neighbors/ellipsoid.schema.js';
import { documentMembers, documentMistakes } from './variogram-document.js';

/** The shapes that a structure may take. */
export const variogramTypeSchema = z
  .enum([
    'spherical',
    'exponential',
    'gaussian',
    'cubic',
    'linear',
    'spheroidal',
    'generalisedcauchy',
  ])
  .meta({
    description:
      'Shape, with h = anisotropic distance / range: spherical 1.5 h − 0.5 h³ (h < 1, else 1); ' +
      'exponential 1 − exp(−3 h) and gaussian 1 − exp(−3 h²), whose ranges are practical ranges ' +
      '(95 % of the sill); cubic 7 h² − 8.75 h³ + 3.5 h⁵ − 0.75 h⁷ (h < 1, else 1); linear h, without a sill; ' +
      'generalisedcauchy 1 − (1 + h²)^(−alpha/2); spheroidal the same from its inflection point on, ' +
      'a straight line before, scaled so that it is 96.27 % of the sill at h = 1 for every alpha',
  });

/** Shapes that have an `alpha`. */
const WITH_ALPHA: readonly string[] = ['spheroidal', 'generalisedcauchy'];

/** The member `alpha` of a structure, or of what asks for one. */
export const alphaSchema = z
  .literal([3, 5, 7, 9])
  .optional()
  .meta({
    description:
      'How steeply spheroidal and generalisedcauchy rise: the smaller, the longer their tail. ' +
      'Required for these two, and for no other shape',
  });

/** What is wrong with the alpha of a shape, if anything is. */
export function alphaMistake(type: VariogramType, alpha: Alpha | undefined): string | undefined {
  const wanted = WITH_ALPHA.includes(type);
  if (wanted && alpha === undefined) return `Expected 3, 5, 7 or 9: ${type} needs an alpha`;
  if (!wanted && alpha !== undefined) return `Only ${WITH_ALPHA.join(' and ')} have an alpha`;
  return undefined;
}

const semivariance = z.number().min(0).max(1e100);

const structureSchema = z
  .strictObject({
    variogram_type: variogramTypeSchema,
    alpha: alphaSchema,
    contribution: semivariance.meta({
      description:
        'Semivariance added by this structure (linear: at h = 1), in squared units of the values',
    }),
    anisotropy: ellipsoidSchema.meta({
      description: 'Ranges of the structure and where they point',
    }),
  })
  .check((context) => {
    if (context.issues.length > 0) return;
    const message = alphaMistake(context.value.variogram_type, context.value.alpha);
    if (!message) return;
    context.issues.push({ code: 'custom', input: context.value.alpha, path: ['alpha'], message });
  })
  .meta({ description: 'One structure of the model' });

/** A nested variogram model: a nugget and any of ten structures. */
export const variogramSchema = z
  .strictObject({
    nugget: semivariance.default(0).meta({
      description:
        'Semivariance just off distance 0, in squared units of the values (at 0 it is 0)',
    }),
    structures: z.array(structureSchema).max(10).meta({ description: 'Structures that add up' }),
    ...documentMembers,
  })
  .check((context) => {
    if (context.issues.length > 0) return;
    const { nugget, structures } = context.value;
    const total = structures.reduce((sum, { contribution }) => sum + contribution, nugget);
    const refuse = (path: string[], message: string) =>
      context.issues.push({ code: 'custom', input: context.value, path, message });
    if (total === 0) refuse([], 'Expected a nugget or a contribution above 0');
    for (const { path, message } of documentMistakes(context.value, total)) refuse(path, message);
  })
  .meta({ description: 'The variogram model' });

export type VariogramType = z.output<typeof variogramTypeSchema>;
export type Alpha = NonNullable<z.output<typeof alphaSchema>>;
export type VariogramModel = z.output<typeof variogramSchema>;
export type VariogramStructure = z.output<typeof structureSchema>;
