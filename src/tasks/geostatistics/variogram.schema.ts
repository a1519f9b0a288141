import { z } from 'zod';
import { ellipsoidSchema } from './ellipsoid.schema.js';
import { documentMembers, documentMistakes } from './variogram.document.js';

/** The shapes that a structure may take. */
export const variogramTypeSchema = z
  .enum(['spherical', 'exponential', 'gaussian', 'cubic', 'linear'])
  .meta({
    description:
      'Shape, with h = anisotropic distance / range: spherical 1.5 h − 0.5 h³ (h < 1, else 1); ' +
      'exponential 1 − exp(−3 h) and gaussian 1 − exp(−3 h²), whose ranges are practical ranges ' +
      '(95 % of the sill); cubic 7 h² − 8.75 h³ + 3.5 h⁵ − 0.75 h⁷ (h < 1, else 1); linear h, without a sill',
  });

const semivariance = z.number().min(0).max(1e100);

const structureSchema = z
  .strictObject({
    variogram_type: variogramTypeSchema,
    contribution: semivariance.meta({
      description:
        'Semivariance added by this structure (linear: at h = 1), in squared units of the values',
    }),
    anisotropy: ellipsoidSchema.meta({
      description: 'Ranges of the structure and where they point',
    }),
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
export type VariogramModel = z.output<typeof variogramSchema>;
export type VariogramStructure = z.output<typeof structureSchema>;
