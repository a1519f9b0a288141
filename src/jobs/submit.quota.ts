import { Injectable } from '@nestjs/common';
import { Coalescer } from '../platform/database/coalescer.js';
import { Database } from '../platform/database/database.js';
import { isDatabaseUnavailable } from '../platform/database/database.errors.js';
import { Problem } from '../platform/http/problem.js';

/** How long a count is believed, less what was admitted since. */
const COUNT_EVERY_MS = 1_000;
/** Organizations beyond this many are forgotten, and counted again when they come back. */
const MOST_REMEMBERED = 10_000;
/** Seconds after which a refused client may find room. */
const RETRY_AFTER_SECONDS = '5';

interface Room {
  /** How many more jobs may be submitted; infinite without a cap. */
  left: number;
  readonly countedAt: number;
}

/**
 * The cap on how many jobs of an organization may wait unstarted (`max_unstarted` of its limits).
 *
 * Submits are not serialized for it: each process counts an organization's jobs at most once a
 * second and admits no more than there was room for. Replicas that count at the same moment may
 * together admit more than the cap: at most, each what room the count showed.
 */
@Injectable()
export class SubmitQuota {
  private readonly rooms = new Map<string, Room>();
  private readonly counts: Coalescer<string, number>;

  constructor(private readonly database: Database) {
    this.counts = new Coalescer({
      run: (organizations) => this.countRooms(organizations),
      maxItems: 64,
      maxBatches: 1,
      retryAlone: (error) => !isDatabaseUnavailable(error),
    });
  }

  /** @throws Problem `too-many-requests` when the organization has too many jobs waiting */
  async admit(orgId: string): Promise<void> {
    let room = this.rooms.get(orgId);
    if (room === undefined || performance.now() - room.countedAt > COUNT_EVERY_MS) {
      room = await this.recount(orgId);
    }
    if (room.left <= 0) {
      throw new Problem(
        'too-many-requests',
        'The organization has as many jobs waiting as it may: wait until some have started, or ask the operator for a higher limit.',
        { headers: { 'retry-after': RETRY_AFTER_SECONDS } },
      );
    }
    room.left -= 1;
  }

  private async recount(orgId: string): Promise<Room> {
    const left = await this.counts.submit(orgId);
    // Others may have waited for the same count: they share what it allows.
    const known = this.rooms.get(orgId);
    if (known !== undefined && performance.now() - known.countedAt <= COUNT_EVERY_MS) {
      return known;
    }
    const room = { left, countedAt: performance.now() };
    if (this.rooms.size >= MOST_REMEMBERED) {
      this.rooms.clear();
    }
    this.rooms.set(orgId, room);
    return room;
  }

  private async countRooms(organizations: readonly string[]): Promise<number[]> {
    type Counted = { org_id: string; left: number | null };
    const { rows } = await this.database.queryFor<Counted>(organizations, {
      name: 'count-unstarted',
      text: `
        SELECT asked.org_id, cap.max_unstarted
          - (SELECT count(*) FROM (
              SELECT 1 FROM jobs WHERE org_id = asked.org_id AND status = 'requested'
                AND run_after IS NULL LIMIT cap.max_unstarted) ready)::int
          - (SELECT count(*) FROM (
              SELECT 1 FROM jobs WHERE org_id = asked.org_id AND run_after IS NOT NULL
                LIMIT cap.max_unstarted) delayed)::int AS left
        FROM unnest($1::uuid[]) AS asked(org_id)
        LEFT JOIN LATERAL (
          SELECT max_unstarted FROM organization_limits l
          WHERE l.org_id IN (asked.org_id, '00000000-0000-0000-0000-000000000000')
          ORDER BY l.org_id DESC LIMIT 1) cap ON true
        WHERE cap.max_unstarted IS NOT NULL`,
      values: [organizations],
    });
    const capped = new Map(rows.map((row) => [row.org_id, row.left ?? 0]));
    return organizations.map((orgId) => capped.get(orgId) ?? Number.POSITIVE_INFINITY);
  }
}
