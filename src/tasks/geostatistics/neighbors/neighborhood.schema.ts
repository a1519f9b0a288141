import { z } from 'zod';
import { drillholeLimits } from '../samples/drillhole-limits.js';
import { ellipsoidSchema } from './ellipsoid.schema.js';
import { sectorLimits } from './sector-limits.schema.js';

/** Most samples of one estimate: a system of 1,000 equations takes about a second to solve. */
const MAX_NEIGHBORS = 1000;

/** Which samples take part in the estimate of one point. */
export const neighborhoodSchema = z
  .strictObject({
    ellipsoid: ellipsoidSchema.meta({
      description: 'Search ellipsoid around the point: only samples inside it (or on it) are used',
    }),
    max_samples: z
      .int()
      .min(1)
      .max(MAX_NEIGHBORS)
      .meta({
        description:
          'Most samples to use: the nearest ones in the anisotropic distance of the ellipsoid; ' +
          'of equally distant ones those with the smaller x, then y, then z',
      }),
    min_samples: z.int().min(1).max(MAX_NEIGHBORS).default(1).meta({
      description: 'With fewer samples left by the other limits the point is not estimated (null)',
    }),
    ...sectorLimits,
    ...drillholeLimits,
  })
  .check((context) => {
    if (context.issues.length > 0) return;
    const { max_samples, min_samples } = context.value;
    if (min_samples > max_samples) {
      const message = `Expected at most max_samples (${max_samples}), not ${min_samples}`;
      context.issues.push({ code: 'custom', input: min_samples, path: ['min_samples'], message });
    }
  })
  .meta({ description: 'Which samples take part in the estimate of a point' });

export type Neighborhood = z.output<typeof neighborhoodSchema>;
