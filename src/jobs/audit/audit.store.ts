import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/database/database.js';

/** What is audited. */
export const AUDIT_ACTIONS = [
  'job.submit',
  'job.cancel',
  'job.purge',
  'jobs.submit',
  'jobs.cancel',
  'jobs.purge',
  'jobs.rerun',
  'limits.change',
] as const;
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
 * Reads the audit log: a cold path. It is written elsewhere: by the very statement that does what is noted
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
    const [entries] = await this.database.prismaFor([orgId], (prisma) => [
      prisma.auditEntry.findMany({
        where: {
          orgId,
          ...(before !== null && { id: { lt: before } }),
          ...(action !== null && { action }),
          ...(subject !== null && { subject }),
          ...(jobId !== null && { jobId }),
        },
        orderBy: { id: 'desc' },
        take: limit,
        omit: { orgId: true },
      }),
    ]);
    return entries.map((entry) => ({ ...entry, action: entry.action as AuditAction }));
  }
}
