import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { Database } from '../../platform/database/database.js';

const FLUSH_AFTER_MS = 1_000;

/**
 * How many bytes this process has stored for each organization, added to the sums in the database about
 * a second later: a statement of its own beside each submit would cost a quarter of what that costs.
 * What a crash makes it forget is found by the recount.
 */
@Injectable()
export class UsageMeter implements OnModuleDestroy {
  private readonly logger = new Logger('UsageMeter');
  private pending = new Map<string, number>();
  private flushing: Promise<void> | null = null;
  private timer: NodeJS.Timeout | null = null;

  constructor(private readonly database: Database) {}

  /** @param bytes stored, and committed */
  add(orgId: string, bytes: number): void {
    this.pending.set(orgId, this.pendingOf(orgId) + bytes);
    // A timer that is not waited for: the end of the process flushes.
    this.timer ??= setTimeout(() => void this.flush(), FLUSH_AFTER_MS).unref();
  }

  /** What is not in the database yet. */
  pendingOf(orgId: string): number {
    return this.pending.get(orgId) ?? 0;
  }

  /** Fulfilled when nothing is on its way to the database. */
  async settled(): Promise<void> {
    await this.flushing;
  }

  /** Adds what is pending to the sums. Never rejects: what could not be added stays pending. */
  async flush(): Promise<void> {
    await this.flushing;
    this.flushing ??= this.write().finally(() => {
      this.flushing = null;
    });
    await this.flushing;
  }

  /** Before the connections are closed. */
  async onModuleDestroy(): Promise<void> {
    await this.flush();
    if (this.timer !== null) {
      clearTimeout(this.timer);
    }
  }

  private async write(): Promise<void> {
    const taken = this.pending;
    this.pending = new Map();
    if (this.timer !== null) {
      clearTimeout(this.timer);
      this.timer = null;
    }
    if (taken.size === 0) {
      return;
    }
    try {
      await this.database.pool.query({
        name: 'add-usage',
        text: `
          INSERT INTO organization_usage AS usage (org_id, stored_bytes)
          SELECT org_id, bytes FROM unnest($1::uuid[], $2::bigint[]) AS added(org_id, bytes),
            (SELECT set_config('synchronous_commit', 'off', true)) AS asynchronous
          ORDER BY org_id
          ON CONFLICT (org_id) DO UPDATE SET stored_bytes = usage.stored_bytes + excluded.stored_bytes`,
        values: [[...taken.keys()], [...taken.values()]],
      });
    } catch (error) {
      this.logger.debug({ err: error }, 'stored bytes could not be added up; tries again');
      taken.forEach((bytes, orgId) => this.add(orgId, bytes));
    }
  }
}
