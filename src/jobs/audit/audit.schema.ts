import { z } from 'zod';
import { MOMENT } from '../../platform/http/openapi/body.js';
import { AUDIT_ACTIONS } from './audit.store.js';

const AUDIT_ENTRY = z.strictObject({
  id: z.uuid(),
  at: MOMENT,
  action: z.enum(AUDIT_ACTIONS),
  subject: z.string().nullable().describe("The token's `sub`, or the operator."),
  client: z.string().nullable().describe('The application that the token was given to.'),
  job_id: z.uuid().nullable().describe('The job, if it is about one.'),
  topic: z.string().nullable().describe("The job's topic."),
  task: z.string().nullable().describe("The job's task."),
  address: z.string().nullable().describe('Where the request came from.'),
  request_id: z.string().nullable().describe('As in `X-Request-Id` and in the log.'),
  detail: z.record(z.string(), z.unknown()).nullable().describe('What was changed, and to what.'),
});

/** The body of `GET …/audit`. */
export const AUDIT_PAGE = z
  .strictObject({
    results: z.array(AUDIT_ENTRY).max(200).describe('Newest first.'),
    next: z.url().nullable().describe('The next page; null: none.'),
  })
  .meta({ id: 'AuditPage' });
