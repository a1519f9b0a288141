import { z } from 'zod';

/** `true`, or the attribute that another service would store it in: here the results hold it. */
const wish = z
  .union([z.boolean(), z.looseObject({ operation: z.enum(['create', 'update']) })])
  .nullish();

const numbers = (description: string) =>
  z.array(z.number().nullable()).optional().meta({ description });

/** What each diagnostic says of a point or block; null where there is no estimate. */
const DIAGNOSTICS = {
  kriging_variance: 'The kriging variance, as in `variances`',
  slope_of_regression:
    'Slope of the regression of true values on estimates, Cov(Z, Z*) / Var(Z*): below 1 high estimates are too high, and low ones too low',
  kriging_efficiency:
    '(variance of the point or block − kriging variance) / variance of the point or block',
  kriging_mean: 'The mean as the neighbours tell it (generalised least squares), or the known one',
  num_samples: 'Samples used',
  num_duplicates: 'Samples used that share their place with another: 0, since such are refused',
  num_equidistant:
    'Samples inside the ellipsoid that were not used, though as far as the furthest that was',
  sum_weights: 'Sum of the weights: 1 for ordinary kriging',
  sum_positive_weights: 'Sum of the weights above 0',
  sum_negative_weights: 'Sum of the weights below 0',
  min_distance: 'Distance of the nearest sample used',
  mean_distance: 'Mean distance of the samples used',
  aniso_min_distance:
    'Distance of the nearest sample used in the space where the search ellipsoid is a sphere of radius major',
  aniso_mean_distance: 'Mean distance of the samples used in that space',
} as const;

export type NumericDiagnostic = keyof typeof DIAGNOSTICS;

export const NUMERIC_DIAGNOSTICS = Object.keys(DIAGNOSTICS) as NumericDiagnostic[];

const VALID =
  'Whether the samples around the point satisfied the search; null where it was filtered out';

const members = Object.fromEntries(
  NUMERIC_DIAGNOSTICS.map((name) => [name, wish.meta({ description: DIAGNOSTICS[name] })]),
) as Record<NumericDiagnostic, typeof wish>;

/** Which diagnostics are wanted, as a member of the target. */
export const diagnosticsSchema = z
  .strictObject({
    valid: wish.meta({ description: VALID }),
    ...members,
    num_drillholes: z
      .custom<null>((value) => value === undefined || value === null || value === false, {
        error: 'Samples do not name their drillholes here: leave this diagnostic out',
      })
      .optional()
      .meta({ type: 'null', description: 'Not available: samples do not name their drillholes' }),
  })
  .nullish()
  .meta({
    description: 'What else to tell of each point or block: each member is a list of results',
  });

export type DiagnosticWishes = z.output<typeof diagnosticsSchema>;

/** The diagnostics that were wanted, one item for each point or block. */
export const diagnosticResults = z
  .strictObject({
    valid: z.array(z.boolean().nullable()).optional().meta({ description: VALID }),
    ...(Object.fromEntries(
      NUMERIC_DIAGNOSTICS.map((name) => [name, numbers(DIAGNOSTICS[name])]),
    ) as Record<NumericDiagnostic, ReturnType<typeof numbers>>),
  })
  .optional()
  .meta({ description: 'The diagnostics that were wanted, in the order of the target' });

/** @returns the names that were wanted */
export function wanted(wishes: DiagnosticWishes): readonly (NumericDiagnostic | 'valid')[] {
  return ([...NUMERIC_DIAGNOSTICS, 'valid'] as const).filter((name) => Boolean(wishes?.[name]));
}
