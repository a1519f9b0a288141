import { z } from 'zod';

/** A sill that is the sum of decimal fractions may differ from it by rounding, and no more. */
const SAME_SILL = 1e-6;

const variance = z.number().min(0).max(1e100).nullish();
const label = z.string().max(1000).nullish();

/**
 * Members of a variogram model that objects of a store have, and that say nothing new or only for whom
 * the model is. They are taken so that such a model need not be taken apart; what would change the
 * estimates is refused: {@link documentMistakes}.
 */
export const documentMembers = {
  sill: variance.meta({ description: 'Nugget and contributions together, if given at all' }),
  data_variance: variance.meta({ description: 'Only if it is the sill: models are not rescaled' }),
  is_rotation_fixed: z.boolean().nullish().meta({ description: 'Not used: structures say it' }),
  modelling_space: z
    .enum(['data', 'normalscore'])
    .nullish()
    .meta({ description: 'Only `data`: values are not transformed' }),
  domain: label.meta({ description: 'Not used' }),
  attribute: label.meta({ description: 'Not used' }),
};

type Members = {
  readonly [K in keyof typeof documentMembers]?: z.output<(typeof documentMembers)[K]>;
};

/**
 * Members that do not fit the model.
 * @param total nugget and contributions together
 */
export function documentMistakes(
  { sill, data_variance, modelling_space }: Members,
  total: number,
): { path: string[]; message: string }[] {
  const found: { path: string[]; message: string }[] = [];
  if (differs(sill, total)) {
    const message = 'Expected the nugget and the contributions together, or nothing';
    found.push({ path: ['sill'], message });
  }
  if (differs(data_variance, total)) {
    const message = 'Expected the sill, or nothing: models are not rescaled here';
    found.push({ path: ['data_variance'], message });
  }
  if (modelling_space === 'normalscore') {
    const message = 'Expected data: values are not transformed to normal scores here';
    found.push({ path: ['modelling_space'], message });
  }
  return found;
}

function differs(given: number | null | undefined, total: number): boolean {
  return typeof given === 'number' && Math.abs(given - total) > SAME_SILL * total;
}
