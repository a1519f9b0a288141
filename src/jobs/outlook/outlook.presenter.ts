import type { BodyOf } from '../../platform/http/openapi/body.js';
import type { z } from 'zod';
import type { Outlook } from './outlook.js';
import type { OUTLOOK } from './outlook.schema.js';

/** The members that tell what lies ahead of a job; none when nothing is known. */
export const presentOutlook = ({
  waitsFor,
  estimate,
}: Outlook): BodyOf<z.ZodObject<typeof OUTLOOK>> => ({
  ...(waitsFor !== null && { waits_for: waitsFor }),
  ...(estimate !== null && {
    estimate: {
      ...(estimate.startsIn !== null && { starts_in: estimate.startsIn }),
      ends_in: estimate.endsIn,
    },
  }),
});
