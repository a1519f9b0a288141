import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/database/database.js';

/** What is audited. */
export const AUDIT_ACTIONS = ['job.submit', 'job.cancel', 'job.purge', 'limits.change'] as const;
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

/** Somebody did something. */
export interface AuditEntry {
  /** UUIDv7, lower-case. */
  readonly id: string;
  readonly at: Date;
  readonly action: AuditAction;
  readonly subject: string | null;
  readonly client: string | null;
  readonly jobId: string | null;
  readonly topic: string | null;
  readonly task: string | null;
  readonly address: string | null;
  readonly requestId: string | null;
  readonly detail: unknown;
}

/** Which entries: null takes all. */
export interface AuditFilter {
  readonly action: AuditAction | null;
  readonly subject: string | null;
  readonly jobId: string | null;
}

/**
 * Reads the audit log. It is written elsewhere: by the very statement that does what is noted
 * (`INSERT INTO audit_log`), so that neither is there without the other.
 */
@Injectable()
export class AuditStore {
  constructor(private readonly database: Database) {}

  /**
   * Entries of an organization, newest first.
   * @param before only those before this one; null: from the newest
   */
  async list(
    orgId: string,
    { action, subject, jobId }: AuditFilter,
    before: string | null,
    limit: number,
  ): Promise<readonly AuditEntry[]> {
    const { rows } = await this.database.queryFor<AuditEntry>([orgId], {
      name: 'list-audit',
      text: `
        SELECT id, at, action, subject, client, job_id AS "jobId", topic, task, address,
          request_id AS "requestId", detail
        FROM audit_log
        WHERE org_id = $1 AND id < coalesce($2, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
          AND ($3::text IS NULL OR action = $3) AND ($4::text IS NULL OR subject = $4)
          AND ($5::uuid IS NULL OR job_id = $5)
        ORDER BY id DESC LIMIT $6`,
      values: [orgId, before, action, subject, jobId, limit],
    });
    return rows;
  }
}
