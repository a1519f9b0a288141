import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../platform/config.js';
import { Database } from '../../platform/database/database.js';
import type { BodyOf } from '../../platform/http/openapi/body.js';
import type { LIMITS } from './limits.schema.js';

/** Limits in force, and what is used of them, as they are sent; null: no limit. */
type GrantedLimits = BodyOf<typeof LIMITS>;

type Row = { [Name in keyof Omit<GrantedLimits, 'used' | 'weight'>]: number | string | null } & {
  weight: number | null;
  running: string;
  unstarted: string;
  stored_bytes: string | null;
};

/**
 * Reads what an organization may use: its own limits, else the default ones, else the configured. In SQL,
 * since which limits hold is said there alone (`effective_limits`).
 */
@Injectable()
export class GrantedLimitsStore {
  constructor(
    private readonly database: Database,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  async of(orgId: string): Promise<GrantedLimits> {
    const { rows } = await this.database.queryFor<Row>([orgId], {
      name: 'read-granted-limits',
      text: `
        SELECT own.weight, own.max_running, own.max_unstarted, own.max_stored_bytes, own.retention_days,
          own.submits_per_minute, own.polls_per_minute, own.requests_per_minute,
          (SELECT count(*) FROM job_leases WHERE org_id = $1) AS running,
          (SELECT count(*) FROM job_queue WHERE org_id = $1 AND run_after IS NULL)
            + (SELECT count(*) FROM job_queue WHERE org_id = $1 AND run_after IS NOT NULL) AS unstarted,
          (SELECT stored_bytes FROM organization_usage WHERE org_id = $1) AS stored_bytes
        FROM (SELECT) AS asked
        LEFT JOIN LATERAL effective_limits($1) own ON true`,
      values: [orgId],
    });
    const row = rows[0] as Row;
    const { config } = this;
    return {
      weight: row.weight ?? 1,
      max_running: number(row.max_running),
      max_unstarted: number(row.max_unstarted),
      max_stored_bytes: number(row.max_stored_bytes),
      retention_days: unlessZero(row.retention_days, config.RETENTION_DAYS),
      submits_per_minute: unlessZero(row.submits_per_minute, config.RATE_LIMIT_SUBMITS),
      polls_per_minute: unlessZero(row.polls_per_minute, config.RATE_LIMIT_POLLS),
      requests_per_minute: unlessZero(row.requests_per_minute, config.RATE_LIMIT_REQUESTS),
      used: {
        running: Number(row.running),
        unstarted: Number(row.unstarted),
        stored_bytes: Math.max(0, Number(row.stored_bytes ?? 0)),
      },
    };
  }
}

const number = (value: number | string | null): number | null =>
  value === null ? null : Number(value);

/** Where null takes what is configured, and 0 stands for no limit. */
const unlessZero = (value: number | string | null, configured: number): number | null =>
  Number(value ?? configured) || null;
