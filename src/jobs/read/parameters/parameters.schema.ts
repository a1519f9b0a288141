import { z } from 'zod';

/** The body of `GET …/{job_id}/parameters`. */
export const JOB_PARAMETERS = z
  .strictObject({
    parameters: z.record(z.string(), z.unknown()).describe('As they were sent.'),
  })
  .meta({ id: 'JobParameters' });
