import type { Ask, BucketKey, Grant } from './bucket.store.js';

/** What became of a request at its bucket. */
export interface Verdict {
  readonly admitted: boolean;
  /** Tokens per minute; 0: there is no limit, and nothing to tell. */
  readonly perMinute: number;
  /** About how many more requests would be admitted now. */
  readonly remaining: number;
  /** Whole seconds until the bucket is full again, or, of a refusal, until it has a token. */
  readonly seconds: number;
}

/** A replica may spend the tokens that it has taken for this long: what is left of them is lost. */
export const HELD_MS = 5_000;
/** Tokens are fetched anew while those at hand still last for this long. */
const AHEAD_MS = 1_000;
/** A refusal holds at least for this long without asking the database again. */
const REFUSED_MS = 250;
/** How long a request waits for tokens before this process decides alone. */
const PATIENCE_MS = 500;
/** How long it then decides alone before it asks the database again. */
const ALONE_MS = 1_000;
/** Buckets beyond this many are forgotten, and asked for again when they come back. */
const MAX_REMEMBERED = 20_000;

/** What this process holds of one bucket. */
interface Held {
  /** Tokens taken ahead, oldest first. */
  readonly grants: { tokens: number; readonly until: number }[];
  perMinute: number;
  /** What the shared bucket had left after the last grant. */
  left: number;
  refusedUntil: number;
  /** Since the last grant, to know how many the next should bring. */
  spent: number;
  grantedAt: number;
  asked: number;
  fetching: Promise<void> | null;
  waiting: number;
  /**
   * A bucket of this process's own, for while the database is away. It is kept: a database that comes and
   * goes gives no new minute's tokens each time.
   */
  alone: { level: number; at: number } | null;
}

/**
 * Token buckets that several replicas share without asking for each request: each takes tokens ahead,
 * as many as it spends in a few seconds, and admits requests with them from memory. What is not spent
 * in {@link HELD_MS} is lost, so that in any time `t` all replicas together admit no more than
 * `perMinute + perMinute / 60 s * (t + HELD_MS)`, however many they are: a bucket's content, and what
 * ran in.
 *
 * While the database is away each replica admits what the limit allows by itself.
 */
export class RateLimiter {
  private readonly held = new Map<string, Held>();
  private aloneUntil = 0;

  /**
   * @param take draws from the shared bucket
   * @param now a clock that never jumps, in milliseconds
   */
  constructor(
    private readonly take: (ask: Ask) => Promise<Grant>,
    private readonly onAlone: (error: unknown) => void = () => undefined,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /**
   * Spends one token of a bucket; at once when this process holds one.
   * @param perMinute the limit unless the organization has its own; 0: none
   */
  spend(key: BucketKey, perMinute: number): Verdict | Promise<Verdict> {
    const held = this.heldOf(key, perMinute);
    return this.decide(held, key, perMinute) ?? this.fetchAndDecide(held, key, perMinute);
  }

  /**
   * Spends several tokens of a bucket, or none: for one request that is as good as many.
   * What it drew in vain others may spend.
   * @param count no more than a minute has, or it is refused
   */
  async spendMany(key: BucketKey, perMinute: number, count: number): Promise<Verdict> {
    const held = this.heldOf(key, perMinute);
    let taken = 0;
    for (;;) {
      taken += takeFrom(held, count - taken, this.now());
      const verdict = {
        perMinute: held.perMinute,
        remaining: Math.max(0, Math.floor(held.left + tokensOf(held))),
        seconds: 1,
      };
      if (taken === count) {
        held.spent += count;
        return { ...verdict, admitted: true };
      }
      const isHopeless = held.perMinute > 0 && held.asked > 0 && count > held.perMinute;
      if (!isHopeless && this.now() >= held.refusedUntil) {
        held.waiting += count - taken;
        await this.fetch(held, key, perMinute).finally(() => {
          held.waiting -= count - taken;
        });
        continue;
      }
      held.grants.push({ tokens: taken, until: this.now() + AHEAD_MS });
      const missing = Math.min(count, held.perMinute) - taken - held.left;
      const seconds = Math.max(1, Math.ceil((missing * 60) / held.perMinute));
      return { ...verdict, remaining: taken + verdict.remaining, seconds, admitted: false };
    }
  }

  /** Takes back a token that was spent a moment ago. */
  giveBack(key: BucketKey): void {
    const newest = this.held.get(idOf(key))?.grants.at(-1);
    if (newest !== undefined) {
      newest.tokens += 1;
    }
  }

  private async fetchAndDecide(held: Held, key: BucketKey, perMinute: number): Promise<Verdict> {
    held.waiting += 1;
    try {
      for (;;) {
        await this.fetch(held, key, perMinute);
        const verdict = this.decide(held, key, perMinute);
        if (verdict !== null) {
          return verdict;
        }
      }
    } finally {
      held.waiting -= 1;
    }
  }

  /** @returns null when only the shared bucket can tell */
  private decide(held: Held, key: BucketKey, perMinute: number): Verdict | null {
    const now = this.now();
    const { grants } = held;
    while (grants.length > 0 && (grants[0]!.until <= now || grants[0]!.tokens < 1)) {
      grants.shift();
    }
    const [oldest] = grants;
    if (oldest !== undefined) {
      oldest.tokens -= 1;
      held.spent += 1;
      const remaining = Math.floor(held.left + tokensOf(held));
      this.fetchAhead(held, key, perMinute, now);
      return {
        admitted: true,
        perMinute: held.perMinute,
        remaining,
        seconds: Math.max(1, Math.ceil(((held.perMinute - remaining) * 60) / held.perMinute)),
      };
    }
    if (now < held.refusedUntil) {
      return {
        admitted: false,
        perMinute: held.perMinute,
        remaining: 0,
        seconds: Math.max(1, Math.ceil((held.refusedUntil - now) / 1_000)),
      };
    }
    return null;
  }

  private fetchAhead(held: Held, key: BucketKey, perMinute: number, now: number): void {
    const newest = held.grants.at(-1)!;
    const short = tokensOf(held) * 4 <= held.asked || newest.until - now < AHEAD_MS;
    if (short && held.fetching === null && now >= held.refusedUntil) {
      void this.fetch(held, key, perMinute);
    }
  }

  /** Draws tokens, once for all who wait for them. Never rejects. */
  private fetch(held: Held, key: BucketKey, perMinute: number): Promise<void> {
    held.fetching ??= this.draw(held, key, perMinute).finally(() => {
      held.fetching = null;
    });
    return held.fetching;
  }

  private async draw(held: Held, key: BucketKey, perMinute: number): Promise<void> {
    // Before the database is asked: its clock may run ahead of the answer, never behind.
    const now = this.now();
    const pace = held.spent / Math.max(1_000, now - held.grantedAt);
    const tokens = Math.min(2 ** 30, Math.max(held.waiting, Math.ceil(pace * HELD_MS), 1));
    const ask = { ...key, tokens, perMinute };
    let grant: Grant;
    let lasts = HELD_MS;
    if (now < this.aloneUntil) {
      grant = drawAlone(held, ask, now);
      lasts = ALONE_MS;
    } else {
      try {
        grant = await withPatience(this.take(ask));
      } catch (error) {
        this.aloneUntil = this.now() + ALONE_MS;
        this.onAlone(error);
        grant = drawAlone(held, ask, now);
        lasts = PATIENCE_MS + ALONE_MS;
      }
    }
    held.spent = 0;
    held.grantedAt = now;
    held.perMinute = grant.perMinute;
    held.left = grant.left;
    held.asked = grant.perMinute === 0 ? 0 : grant.tokens;
    const granted = grant.perMinute === 0 ? Number.POSITIVE_INFINITY : grant.tokens;
    if (granted > 0) {
      held.grants.push({ tokens: granted, until: now + lasts });
    } else {
      const wait = ((1 - grant.left) * 60_000) / grant.perMinute;
      held.refusedUntil = this.now() + Math.max(REFUSED_MS, wait);
    }
  }

  private heldOf(key: BucketKey, perMinute: number): Held {
    const id = idOf(key);
    let held = this.held.get(id);
    if (held === undefined) {
      if (this.held.size >= MAX_REMEMBERED) {
        // The one that has been here for longest: who waits there keeps what it holds.
        this.held.delete(this.held.keys().next().value as string);
      }
      held = {
        grants: [],
        perMinute,
        left: 0,
        refusedUntil: 0,
        spent: 0,
        grantedAt: 0,
        asked: 0,
        fetching: null,
        waiting: 0,
        alone: null,
      };
      this.held.set(id, held);
    }
    return held;
  }
}

const idOf = ({ bucket, holder }: BucketKey): string =>
  `${bucket} ${'orgId' in holder ? holder.orgId : holder.address}`;

/** Takes up to `count` tokens of those at hand. @returns how many */
function takeFrom({ grants }: Held, count: number, now: number): number {
  let taken = 0;
  while (taken < count && grants.length > 0) {
    const oldest = grants[0]!;
    const some = oldest.until <= now ? 0 : Math.min(oldest.tokens, count - taken);
    oldest.tokens -= some;
    taken += some;
    if (taken < count) {
      grants.shift();
    }
  }
  return taken;
}

const tokensOf = ({ grants }: Held): number => grants.reduce((sum, { tokens }) => sum + tokens, 0);

/** A grant without the database, by the limit that was last known. */
function drawAlone(held: Held, ask: Ask, now: number): Grant {
  const { perMinute } = held;
  if (perMinute === 0) {
    return { tokens: 0, left: 0, perMinute };
  }
  held.alone ??= { level: perMinute, at: now };
  const { alone } = held;
  alone.level = Math.min(perMinute, alone.level + ((now - alone.at) * perMinute) / 60_000);
  alone.at = now;
  const tokens = Math.min(
    ask.tokens,
    Math.max(1, Math.floor(perMinute / 20)),
    Math.floor(alone.level),
  );
  alone.level -= tokens;
  return { tokens, left: alone.level, perMinute };
}

function withPatience<T>(answer: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error('rate limits: no answer in time')),
      PATIENCE_MS,
    );
    answer.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
