import type { sectorLimits } from './sector-limits.schema.js';

/** The octants around a point, by the signs of their local coordinates: bit 0 major, 1 semi-major, 2 minor. */
export const OCTANTS = 8;

/** What a search keeps to, by direction; Infinity and all sectors where nothing was asked. */
export interface SectorRules {
  readonly emptyOctants: number;
  readonly perOctant: number;
  readonly emptyQuadrants: number;
  readonly perQuadrant: number;
}

type Limits = { readonly [Name in keyof typeof sectorLimits]?: number | null | undefined };

/** @returns undefined when directions do not matter */
export function sectorRules(limits: Limits): SectorRules | undefined {
  const rules = {
    emptyOctants: limits.max_empty_octants ?? OCTANTS,
    perOctant: limits.max_samples_per_octant ?? Infinity,
    emptyQuadrants: limits.max_empty_quadrants ?? 4,
    perQuadrant: limits.max_samples_per_quadrant ?? Infinity,
  };
  const asked =
    rules.emptyOctants < OCTANTS ||
    rules.emptyQuadrants < 4 ||
    rules.perOctant < Infinity ||
    rules.perQuadrant < Infinity;
  return asked ? rules : undefined;
}

/** The quadrant of an octant: the same without the minor axis. */
export const quadrantOf = (octant: number): number => octant & 3;

/** Whether no more sectors are empty than may be. @param counts of samples, by octant */
export function hasEnoughSectors(counts: readonly number[], rules: SectorRules): boolean {
  const emptyOctants = counts.filter((count) => count === 0).length;
  const emptyQuadrants = [0, 1, 2, 3].filter(
    (quadrant) => counts[quadrant] === 0 && counts[quadrant + 4] === 0,
  ).length;
  return emptyOctants <= rules.emptyOctants && emptyQuadrants <= rules.emptyQuadrants;
}
