import { z } from 'zod';

/** Problem details (RFC 9457): of a refused request, and of a job that failed. */
export const PROBLEM = z
  .strictObject({
    status: z.int().min(400).max(599),
    type: z.url().meta({ examples: ['urn:headframe:problem/not-found'] }),
    title: z.string().describe('The same for every occurrence.'),
    detail: z.string().describe('What happened this time, and what to do next.'),
    'invalid-params': z
      .array(
        z.strictObject({
          name: z.string().meta({ examples: ['parameters.variogram.nugget'] }),
          reason: z.string(),
        }),
      )
      .optional()
      .describe('What is wrong with the request, place by place.'),
    'error-id': z.string().optional().describe('Where the log explains an internal error.'),
  })
  .meta({
    id: 'Problem',
    description: 'Problem details (RFC 9457). docs/errors.md explains each type.',
  });
