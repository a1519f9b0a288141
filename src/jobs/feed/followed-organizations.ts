import { Injectable } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { FOLLOWED_CHANNEL, JobSignals } from '../job/job-signals.js';
import { longId, shortId } from './short-id.js';

/** How often a process tells again of the organizations that it follows. */
const RENEW_EVERY_MS = 15_000;
/** For so long after it was last told of an organization counts as followed: a client that lost its stream
 * may come back within a minute, anywhere, and find what it missed. */
const FOLLOWED_MS = 90_000;
/** A follower that comes this long after the last telling has it told again. */
const FRESH_MS = 30_000;
/** Organizations in one hint: 23 bytes each. */
const MAX_OF_A_HINT = 340;
/** Beyond these this process tells of no more, and hears of no more: their changes are found by reading. */
const MAX_OWN = 20_000;
const MAX_HEARD = 100_000;
/** Asks all others to tell what they follow. */
const ASK = '?';

interface Own {
  followers: number;
  /** On the monotonic clock. */
  toldAt: number;
}

/**
 * Of which organizations somebody, on any replica, wants to hear changes. Mostly of none, and then a change
 * costs who makes it one comparison. The processes tell each other by notifications, which keep no state in
 * the database: each repeats what it follows four times a minute, and whoever begins to listen asks.
 */
@Injectable()
export class FollowedOrganizations {
  /** Until when each counts as followed, on the monotonic clock. */
  private readonly heard = new Map<string, number>();
  private readonly own = new Map<string, Own>();
  private readonly toTell = new Set<string>();

  constructor(private readonly signals: JobSignals) {
    this.signals.on('followed', (payload) => this.hear(payload));
    this.signals.on('hearing', () => {
      void this.signals.send(FOLLOWED_CHANNEL, ASK);
    });
  }

  /** Whether changes of the organization's jobs are to be told: asked on hot paths. */
  has(orgId: string): boolean {
    return this.heard.size > 0 && this.heard.has(orgId);
  }

  /**
   * Counts a follower of the organization in this process, until {@link release}.
   * @returns for how long others have been told of it, in milliseconds; 0: they are told now, and what
   *   changes in the next moments may not be told
   */
  follow(orgId: string): number {
    const now = performance.now();
    const own = this.own.get(orgId) ?? { followers: 0, toldAt: Number.NEGATIVE_INFINITY };
    own.followers += 1;
    if (!this.own.has(orgId)) {
      if (this.own.size >= MAX_OWN) {
        return 0;
      }
      this.own.set(orgId, own);
    }
    if (now - own.toldAt > FRESH_MS) {
      const since = own.toldAt + FOLLOWED_MS > now ? now - own.toldAt : 0;
      this.tell(orgId, own);
      return since;
    }
    return now - own.toldAt;
  }

  release(orgId: string): void {
    const own = this.own.get(orgId);
    if (own !== undefined) {
      own.followers -= 1;
    }
  }

  @Interval('followed organizations', RENEW_EVERY_MS)
  renew(): void {
    const now = performance.now();
    for (const [orgId, own] of this.own) {
      if (own.followers > 0) {
        this.tell(orgId, own);
      } else if (now - own.toldAt > FRESH_MS) {
        this.own.delete(orgId);
      }
    }
    for (const [orgId, until] of this.heard) {
      if (until <= now) {
        this.heard.delete(orgId);
      }
    }
  }

  private hear(payload: string): void {
    if (payload === ASK) {
      this.own.forEach((own, orgId) => this.tell(orgId, own));
      return;
    }
    const until = performance.now() + FOLLOWED_MS;
    for (const short of payload.split(' ')) {
      const orgId = longId(short);
      if (orgId !== null && (this.heard.has(orgId) || this.heard.size < MAX_HEARD)) {
        this.heard.set(orgId, until);
      }
    }
  }

  /** Tells all, and this process at once; those of one turn of the event loop together. */
  private tell(orgId: string, own: Own): void {
    own.toldAt = performance.now();
    this.heard.set(orgId, own.toldAt + FOLLOWED_MS);
    if (this.toTell.size === 0) {
      setImmediate(() => this.send());
    }
    this.toTell.add(orgId);
  }

  private send(): void {
    const shorts = [...this.toTell].map(shortId);
    this.toTell.clear();
    for (let from = 0; from < shorts.length; from += MAX_OF_A_HINT) {
      void this.signals.send(FOLLOWED_CHANNEL, shorts.slice(from, from + MAX_OF_A_HINT).join(' '));
    }
  }
}
