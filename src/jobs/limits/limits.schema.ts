import { z } from 'zod';
import { COUNT } from '../../platform/http/openapi/body.js';

const limit = (description: string) => COUNT.nullable().describe(`${description} Null: no limit.`);

/** The body of `GET …/limits`. */
export const LIMITS = z
  .strictObject({
    weight: z.int().min(1).max(1_000).describe('Share of the starts while organizations compete.'),
    max_running: limit('How many jobs may run at once.'),
    max_unstarted: limit('How many jobs may wait to be started.'),
    max_stored_bytes: limit('How many bytes parameters, results and logs may have.'),
    retention_days: limit('How long ended jobs are kept.'),
    submits_per_minute: limit('How many jobs may be submitted, and as many canceled.'),
    polls_per_minute: limit('How many statuses, results, details and logs may be asked for.'),
    requests_per_minute: limit('How many other requests may be made.'),
    used: z.strictObject({
      running: COUNT.describe('Jobs that run.'),
      unstarted: COUNT.describe('Jobs that wait, those for a later moment as well.'),
      stored_bytes: COUNT.describe('About a second old.'),
    }),
  })
  .meta({ id: 'Limits' });
