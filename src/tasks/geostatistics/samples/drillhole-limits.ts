import { z } from 'zod';

/** Null is as good as nothing; a number cannot be kept to. */
const limit = z
  .custom<null>((value) => value === undefined || value === null, {
    error: 'Samples do not name their drillholes here: leave this limit out',
  })
  .optional()
  .meta({
    type: 'null',
    description: 'Not available: samples do not name their drillholes',
  });

/** Members of a neighborhood that other services know: refused with the reason, not as unknown. */
export const drillholeLimits = {
  max_samples_per_drillhole: limit,
  max_drillholes_per_estimate: limit,
};
