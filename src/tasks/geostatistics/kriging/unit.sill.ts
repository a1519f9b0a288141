import type { VariogramModel } from '../variogram.schema.js';

/** A variogram whose nugget and contributions add up to 1, and what it was divided by. */
export interface UnitSill {
  readonly variogram: VariogramModel;
  /** Variances that are computed with it are to be multiplied by this. */
  readonly total: number;
}

/**
 * Weights do not depend on the unit of the values: with a sill of 1 no unit makes numbers overflow or
 * vanish on the way.
 */
export function toUnitSill({ nugget, structures }: VariogramModel): UnitSill {
  const total = structures.reduce((sum, { contribution }) => sum + contribution, nugget);
  return {
    total,
    variogram: {
      nugget: nugget / total,
      structures: structures.map((structure) => ({
        ...structure,
        contribution: structure.contribution / total,
      })),
    },
  };
}
