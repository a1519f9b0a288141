import type { VariogramModel } from './variogram.schema.js';

/** Nugget and contributions together. */
export function sumOf({ nugget, structures }: VariogramModel): number {
  return structures.reduce((sum, { contribution }) => sum + contribution, nugget);
}

/** The model with its semivariances divided by a number: that may be too small to have an inverse. */
export function dividedBy(divisor: number, { nugget, structures }: VariogramModel): VariogramModel {
  return {
    nugget: nugget / divisor,
    structures: structures.map((structure) => ({
      ...structure,
      contribution: structure.contribution / divisor,
    })),
  };
}
