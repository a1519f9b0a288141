import { z } from 'zod';
import { COUNT, MOMENT } from '../../platform/http/openapi/body.js';

const SECONDS = z.number().min(0);

const PERCENTILES = z
  .strictObject({ p50: SECONDS, p90: SECONDS, p99: SECONDS })
  .nullable()
  .describe('Seconds; null: there is nothing to tell of.');

/** The body of `GET …/jobs/overview`. */
export const OVERVIEW = z
  .strictObject({
    period_seconds: z.int().min(1).describe('Of the jobs submitted in so many seconds until now.'),
    counted: COUNT.describe('How many jobs were looked at: the newest, at most 10,000.'),
    truncated: z.boolean().describe('Whether there are more in that time.'),
    throughput: z
      .array(
        z.strictObject({
          at: MOMENT.describe('The beginning of a part of the period.'),
          submitted: COUNT,
          succeeded: COUNT,
          failed: COUNT,
          canceled: COUNT,
        }),
      )
      .max(96)
      .describe('Parts of one length, oldest first; ends count in the part they fell into.'),
    wait_seconds: PERCENTILES.describe('From submit to the last start.'),
    run_seconds: PERCENTILES.describe('Of last attempts that have ended.'),
    leases_lost: COUNT.describe('Attempts of these jobs whose worker was lost.'),
    by_task: z
      .array(
        z.strictObject({
          topic: z.string(),
          task: z.string(),
          submitted: COUNT,
          ended: COUNT,
          failed: COUNT,
          run_seconds: PERCENTILES,
        }),
      )
      .max(100)
      .describe('The most frequent first.'),
    workers: z
      .array(
        z.strictObject({
          id: z.uuid(),
          version: z.string().nullable().describe('Of the service; null: it does not say.'),
          slots: z.int().min(1).nullable().describe('How many jobs it runs at once.'),
          running: COUNT.describe('Jobs of this organization that it runs.'),
          draining: z.boolean().describe('It shuts down and starts nothing more.'),
          beat_seconds_ago: SECONDS.describe('Since it last said that it lives.'),
          started_at: MOMENT,
        }),
      )
      .max(200)
      .describe('The processes that run jobs, of all organizations.'),
  })
  .meta({ id: 'JobsOverview' });
