import { z } from 'zod';

const most = (sectors: number, what: string) =>
  z
    .int()
    .min(0)
    .max(sectors)
    .nullish()
    .meta({
      description:
        `Most ${what} that may be without a sample inside the ellipsoid; with more the point is not ` +
        `estimated (null). Absent, or ${sectors}: not asked`,
    });

const perSector = (what: string) =>
  z
    .int()
    .min(1)
    .max(1_000)
    .nullish()
    .meta({ description: `Most samples to use from one ${what}: the nearest of them` });

/**
 * Limits by direction, as members of a neighborhood. Octants are those of the ellipsoid's own axes around
 * the point, quadrants those of its major and semi-major axis; a sample on an axis belongs to its positive
 * side.
 */
export const sectorLimits = {
  max_empty_octants: most(8, 'octants'),
  max_samples_per_octant: perSector('octant'),
  max_empty_quadrants: most(4, 'quadrants'),
  max_samples_per_quadrant: perSector('quadrant'),
};
