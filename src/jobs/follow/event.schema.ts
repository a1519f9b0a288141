import { z } from 'zod';
import { COUNT, MOMENT } from '../../platform/http/openapi/body.js';
import { JOB_STATUS } from '../read/status.schema.js';

/** The data of an event of one job: its status body, and which it is. */
export const JOB_EVENT = z
  .strictObject({ id: z.uuid(), ...JOB_STATUS.shape })
  .meta({ id: 'JobEvent' });

/** The data of an event of an organization's stream. */
export const ORGANIZATION_EVENT = z
  .strictObject({
    ...JOB_EVENT.shape,
    topic: z.string(),
    task: z.string(),
    labels: z.record(z.string(), z.string()),
    attempt: COUNT.describe('How often the job was started.'),
    created_at: MOMENT.describe('When it was submitted.'),
    started_at: MOMENT.optional().describe('When its last attempt started.'),
    ended_at: MOMENT.optional().describe('When it ended.'),
  })
  .meta({ id: 'OrganizationEvent' });
