import { newId } from '../../platform/ids/new-id.js';
import type { Actor } from '../../auth/actor.js';
import type { AuditAction } from './audit.store.js';

/** SQL expressions of what is noted beside the job: parameters, or columns of the relation. */
interface Noted {
  readonly id: string;
  readonly subject: string;
  readonly client: string;
  readonly address: string;
  readonly requestId: string;
}

/**
 * The INSERT that notes an act on jobs, as a part (CTE) of the statement that does it, so that neither is
 * there without the other.
 * @param from what was changed, as it stands behind FROM: a relation with the job's `id`, `org_id`, `topic`, `task`
 */
export const auditInsert = (action: AuditAction, from: string, noted: Noted): string => `
  INSERT INTO audit_log (org_id, id, action, subject, client, job_id, topic, task, address, request_id)
  SELECT org_id, ${noted.id}, '${action}', ${noted.subject}, ${noted.client}, id, topic, task,
    ${noted.address}, ${noted.requestId}
  FROM ${from}`;

/** Five parameters of a statement, from `$first` on, in the order of {@link auditValues}. */
export const auditParameters = (first: number): Noted => ({
  id: `$${first}`,
  subject: `$${first + 1}`,
  client: `$${first + 2}`,
  address: `$${first + 3}`,
  requestId: `$${first + 4}`,
});

/** Values of {@link auditParameters}. */
export const auditValues = (by: Actor): readonly unknown[] => [
  newId(),
  by.subject,
  by.client,
  by.address,
  by.requestId,
];
