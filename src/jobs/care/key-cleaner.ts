import { type BeforeApplicationShutdown, Injectable } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { Database } from '../../platform/database/database.js';
import { Periodic } from '../../platform/periodic.js';

const CLEAN_EVERY_MS = 60_000;
/** Keys in one statement: what is left waits a minute, and is no longer valid meanwhile. */
const AT_ONCE = 10_000;

/**
 * Clears away idempotency keys that have expired. Every replica does it, each what no other has taken: in
 * SQL, since Prisma can say neither SKIP LOCKED nor the database's clock.
 */
@Injectable()
export class KeyCleaner implements BeforeApplicationShutdown {
  private readonly loop = new Periodic({ name: 'KeyCleaner', everyMs: CLEAN_EVERY_MS }, () =>
    this.clean(),
  );

  constructor(private readonly database: Database) {}

  @Interval('idempotency keys', CLEAN_EVERY_MS)
  tick(): Promise<void> {
    return this.loop.tick();
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.loop.stop();
  }

  private async clean(): Promise<void> {
    await this.database.pool.query({
      name: 'clean-idempotency-keys',
      text: `
        WITH expired AS MATERIALIZED (
          SELECT org_id, topic, task, key_digest FROM idempotency_keys
          WHERE expires_at <= clock_timestamp() ORDER BY expires_at LIMIT ${AT_ONCE}
          FOR UPDATE SKIP LOCKED
        )
        DELETE FROM idempotency_keys kept USING expired
        WHERE (kept.org_id, kept.topic, kept.task, kept.key_digest)
          = (expired.org_id, expired.topic, expired.task, expired.key_digest)`,
    });
  }
}
