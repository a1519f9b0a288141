import { z } from 'zod';
import type { Target } from '../targets/target.schema.js';

const subPoints = z.int().min(1).max(9).default(1);

const discretisationSchema = z.strictObject({
  nx: subPoints.meta({ description: 'Sub-points along x' }),
  ny: subPoints.meta({ description: 'Sub-points along y' }),
  nz: subPoints.meta({ description: 'Sub-points along z; 1 for a 2-D grid' }),
});

export type Discretisation = z.output<typeof discretisationSchema>;

/** The member in both spellings, of which a client gives one. */
export const discretisationMembers = {
  block_discretisation: discretisationSchema.nullish().meta({
    description:
      'Estimate the average over each grid cell instead of the value at its centre: the cell is ' +
      'represented by the centres of nx · ny · nz equal parts. 1 × 1 × 1 is the value at the centre, ' +
      'and the only one for target.coordinates. Neighbours are those nearest to the centre of the cell',
  }),
  block_discretization: discretisationSchema
    .nullish()
    .meta({ description: 'Another spelling of block_discretisation: give one of them' }),
};

interface Spelled {
  readonly block_discretisation?: Discretisation | null | undefined;
  readonly block_discretization?: Discretisation | null | undefined;
}

/** The discretisation in whichever spelling it was given. */
export function discretisationOf(given: Spelled): Discretisation | undefined {
  return given.block_discretisation ?? given.block_discretization ?? undefined;
}

/** What is wrong with a discretisation of a target, at the spelling that was given. */
export function discretisationMistake(
  given: Spelled,
  { grid }: Target,
): { readonly path: string[]; readonly message: string } | undefined {
  const { block_discretisation: one, block_discretization: other } = given;
  if (one && other && (one.nx !== other.nx || one.ny !== other.ny || one.nz !== other.nz)) {
    const message = 'Expected the same as block_discretisation, or only one of the two spellings';
    return { path: ['block_discretization'], message };
  }
  const member = one ? 'block_discretisation' : 'block_discretization';
  const chosen = discretisationOf(given);
  if (chosen === undefined) return undefined;
  if (!grid && isBlock(chosen)) {
    return { path: [member], message: 'Only the cells of target.grid can be discretised' };
  }
  if (chosen.nz > 1 && grid?.size.length === 2) {
    return { path: [member, 'nz'], message: 'Expected 1 for a 2-D grid' };
  }
  return undefined;
}

/** Whether it is more than the centre. */
export function isBlock({ nx, ny, nz }: Discretisation): boolean {
  return nx * ny * nz > 1;
}
