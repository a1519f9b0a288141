import { Injectable } from '@nestjs/common';
import { Coalescer } from '../../platform/database/coalescer.js';
import { Database } from '../../platform/database/database.js';
import { isDatabaseUnavailable } from '../../platform/database/database-errors.js';
import { Problem } from '../../platform/http/problem/problem.js';
import { UsageMeter } from '../limits/usage-meter.js';

/** How long a count is believed, less what was admitted since. */
const COUNT_EVERY_MS = 1_000;
/** Organizations beyond this many are forgotten, and counted again when they come back. */
const MAX_REMEMBERED = 10_000;
/** Seconds after which a refused client may find room: a job starts sooner than one is deleted. */
const RETRY_UNSTARTED_SECONDS = '5';
const RETRY_STORED_SECONDS = '60';

/** How much more an organization may submit; infinite without a cap. */
interface Room {
  jobs: number;
  bytes: number;
}

interface CountedRoom extends Room {
  readonly countedAt: number;
}

/**
 * The caps on how many jobs of an organization may wait unstarted, and on how many bytes it may store
 * (`max_unstarted` and `max_stored_bytes` of its limits).
 *
 * Submits are not serialized for them: each process counts an organization's jobs and bytes at most
 * once a second and admits no more than there was room for. Replicas that count at the same moment may
 * together admit more than a cap: at most, each what room the count showed. Of bytes a count may miss
 * what other replicas stored within the second before it. What a process had admitted and not yet
 * stored when it counted comes on top, and so do results and logs, which are always kept.
 */
@Injectable()
export class SubmitQuota {
  private readonly rooms = new Map<string, CountedRoom>();
  private readonly counts: Coalescer<string, Room>;

  constructor(
    private readonly database: Database,
    private readonly usage: UsageMeter,
  ) {
    this.counts = new Coalescer({
      run: (organizations) => this.countRooms(organizations),
      maxItems: 64,
      maxBatches: 1,
      retryAlone: (error) => !isDatabaseUnavailable(error),
    });
  }

  /**
   * @param bytes how much the submit would store
   * @param jobs how many it would submit
   * @throws Problem `too-many-requests` when the organization has too many jobs waiting, or stores too much
   */
  async admit(orgId: string, bytes: number, jobs = 1): Promise<void> {
    let room = this.rooms.get(orgId);
    if (room === undefined || performance.now() - room.countedAt > COUNT_EVERY_MS) {
      room = await this.recount(orgId);
    }
    if (room.jobs < jobs) {
      throw new Problem(
        'too-many-requests',
        room.jobs <= 0
          ? 'The organization has as many jobs waiting as it may: wait until some have started, or ask the operator for a higher limit.'
          : `The organization may have ${room.jobs} more jobs waiting: submit fewer at once, wait until some have started, or ask the operator for a higher limit.`,
        { headers: { 'retry-after': RETRY_UNSTARTED_SECONDS } },
      );
    }
    if (room.bytes < bytes) {
      throw new Problem(
        'too-many-requests',
        'The organization would store more bytes than it may: purge ended jobs, wait until their time is over and they are deleted, or ask the operator for a higher limit.',
        { headers: { 'retry-after': RETRY_STORED_SECONDS } },
      );
    }
    room.jobs -= jobs;
    room.bytes -= bytes;
  }

  private async recount(orgId: string): Promise<CountedRoom> {
    const left = await this.counts.submit(orgId);
    // Others may have waited for the same count: they share what it allows.
    const known = this.rooms.get(orgId);
    if (known !== undefined && performance.now() - known.countedAt <= COUNT_EVERY_MS) {
      return known;
    }
    const room = { ...left, countedAt: performance.now() };
    if (this.rooms.size >= MAX_REMEMBERED) {
      this.rooms.clear();
    }
    this.rooms.set(orgId, room);
    return room;
  }

  private async countRooms(organizations: readonly string[]): Promise<Room[]> {
    await this.usage.settled();
    const pending = organizations.map((orgId) => this.usage.pendingOf(orgId));
    type Counted = { org_id: string; jobs: number | null; bytes: number | null };
    const { rows } = await this.database.queryFor<Counted>(organizations, {
      name: 'count-rooms',
      text: `
        SELECT asked.org_id,
          CASE WHEN cap.max_unstarted IS NOT NULL THEN cap.max_unstarted
            - (SELECT count(*) FROM (
                SELECT 1 FROM job_queue WHERE org_id = asked.org_id AND run_after IS NULL
                  LIMIT cap.max_unstarted) ready)::int
            - (SELECT count(*) FROM (
                SELECT 1 FROM job_queue WHERE org_id = asked.org_id AND run_after IS NOT NULL
                  LIMIT cap.max_unstarted) delayed)::int
          END AS jobs,
          CASE WHEN cap.max_stored_bytes IS NOT NULL THEN (cap.max_stored_bytes
            - coalesce((SELECT stored_bytes FROM organization_usage WHERE org_id = asked.org_id), 0))::float8
          END AS bytes
        FROM unnest($1::uuid[]) AS asked(org_id)
        CROSS JOIN LATERAL effective_limits(asked.org_id) cap
        WHERE cap.max_unstarted IS NOT NULL OR cap.max_stored_bytes IS NOT NULL`,
      values: [organizations],
    });
    const capped = new Map(rows.map((row) => [row.org_id, row]));
    return organizations.map((orgId, index) => ({
      jobs: capped.get(orgId)?.jobs ?? Number.POSITIVE_INFINITY,
      bytes: (capped.get(orgId)?.bytes ?? Number.POSITIVE_INFINITY) - (pending[index] ?? 0),
    }));
  }
}
