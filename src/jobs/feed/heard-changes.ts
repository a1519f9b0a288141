import { EventEmitter } from 'node:events';
import { Injectable, Logger } from '@nestjs/common';
import { Database } from '../../platform/database/database.js';
import { JobSignals } from '../job/job-signals.js';
import { type HeardChange, heardChanges, type Place } from './change-hint.js';

interface Events {
  change: [HeardChange];
  /** Hints were lost: whoever follows must look for itself. */
  gap: [];
}

/** So long, in microseconds, what was heard is kept for a client that comes back. */
const KEPT_US = 60e6;
/** Of one organization, and of all. */
const MAX_OF_ONE = 2_000;
const MAX_OF_ALL = 50_000;
/** Two processes may tell in another order than they took the time. */
const DISORDER_US = 1e6;

interface Trail {
  /** In the order in which they were heard. */
  readonly changes: HeardChange[];
  /** What was told up to this time is not complete. */
  lostUntil: number;
}

/**
 * What this process has heard of changes in the last minute, for those who follow now and for those who come
 * back: all replicas hear the same hints in the same order, so that a place among them means the same on each.
 */
@Injectable()
export class HeardChanges extends EventEmitter<Events> {
  private readonly logger = new Logger('HeardChanges');
  private readonly trails = new Map<string, Trail>();
  private kept = 0;
  /** The database's time at some moment of the monotonic clock; null: not known yet. */
  private clock: { readonly stamp: number; readonly at: number } | null = null;
  /** From when on nothing that was told was missed; null: hints are not heard. */
  private since: number | null = null;

  constructor(
    private readonly signals: JobSignals,
    private readonly database: Database,
  ) {
    super();
    this.signals.on('changes', (payload) => {
      for (const change of heardChanges(payload)) {
        this.keep(change);
        this.emit('change', change);
      }
    });
    this.signals.on('hearing', () => void this.begin());
    this.signals.on('deaf', () => {
      this.since = null;
    });
  }

  /** The place of now, or null while the database's time is not known. */
  get now(): Place | null {
    return this.clock === null
      ? null
      : {
          stamp: this.clock.stamp + Math.round((performance.now() - this.clock.at) * 1e3),
          index: 0,
        };
  }

  /**
   * What was heard of an organization behind a place.
   * @returns null when that is not known, or not known whole: the place is too old, or hints were lost
   */
  after(orgId: string, { stamp, index }: Place): readonly HeardChange[] | null {
    const now = this.now?.stamp ?? Number.NaN;
    const trail = this.trails.get(orgId);
    const since = Math.max(this.since ?? Number.POSITIVE_INFINITY, now - KEPT_US);
    if (!(stamp >= since) || stamp <= (trail?.lostUntil ?? 0)) {
      return null;
    }
    if (trail === undefined) {
      return [];
    }
    const at = trail.changes.findLastIndex(
      (change) => change.stamp === stamp && change.index === index,
    );
    return at >= 0
      ? trail.changes.slice(at + 1)
      : trail.changes.filter((change) => change.stamp > stamp - DISORDER_US);
  }

  /** Whether a place lies in the future: it was never told. */
  isFuture({ stamp }: Place): boolean {
    return stamp > (this.now?.stamp ?? Number.POSITIVE_INFINITY) + DISORDER_US;
  }

  private async begin(): Promise<void> {
    try {
      const { rows } = await this.database.pool.query<{ stamp: string }>({
        name: 'read-stamp',
        text: 'SELECT (extract(epoch FROM clock_timestamp()) * 1e6)::bigint AS stamp',
      });
      const stamp = Number(rows[0]?.stamp);
      this.clock = { stamp, at: performance.now() };
      this.since = stamp;
    } catch (error) {
      // Until the next connection nobody goes on from where they were: they are told to look again.
      this.logger.debug({ err: error }, "the database's time could not be read");
    }
    this.emit('gap');
  }

  private keep(change: HeardChange): void {
    const trail = this.trails.get(change.orgId) ?? { changes: [], lostUntil: 0 };
    // The organization heard of last is the last one in the map.
    this.trails.delete(change.orgId);
    this.trails.set(change.orgId, trail);
    trail.changes.push(change);
    this.kept += 1;
    if (change.jobId === null) {
      this.forget(trail, trail.changes.length);
    } else if (trail.changes.length > MAX_OF_ONE) {
      this.forget(trail, trail.changes.length / 2);
    }
    for (const [orgId, oldest] of this.trails) {
      const last = oldest.changes.at(-1)?.stamp ?? oldest.lostUntil;
      const isOld = last < change.stamp - KEPT_US - DISORDER_US;
      if (!isOld && this.kept <= MAX_OF_ALL) {
        break;
      }
      this.kept -= oldest.changes.length;
      this.trails.delete(orgId);
      if (!isOld) {
        // Nobody can tell any more what was lost of it.
        this.since = Math.max(this.since ?? 0, last);
      }
    }
  }

  private forget(trail: Trail, count: number): void {
    const forgotten = trail.changes.splice(0, count);
    this.kept -= forgotten.length;
    trail.lostUntil = Math.max(trail.lostUntil, forgotten.at(-1)?.stamp ?? 0);
  }
}
