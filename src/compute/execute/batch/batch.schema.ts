import { z } from 'zod';
import { CANCEL_LINK, RESULT_LINK } from '../../../jobs/read/status.schema.js';
import { MAX_BATCH } from './batch-body.js';

/** The body of the answer to a batch. */
export const BATCH = z
  .strictObject({
    results: z
      .array(
        z.strictObject({
          id: z.uuid(),
          links: z.strictObject({
            status: z.url().describe('Poll this.'),
            result: RESULT_LINK,
            cancel: CANCEL_LINK,
          }),
        }),
      )
      .max(MAX_BATCH)
      .describe('The jobs, in the order of their parameters.'),
  })
  .meta({ id: 'Batch' });
