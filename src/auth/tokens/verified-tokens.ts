import type { Caller } from '../caller.js';

/** A token is believed this long without being verified again: so long a withdrawn key may still count. */
const BELIEVED_MS = 60_000;
/** Beyond this many, all are forgotten and verified again. */
const MOST = 10_000;

/**
 * Callers of tokens that were verified a moment ago. A client polls with the same token many times a
 * second, and verifying it costs more than all else that a poll needs of this process.
 */
export class VerifiedTokens {
  private readonly known = new Map<string, { readonly caller: Caller; readonly until: number }>();

  /** @param now the clock, in milliseconds since 1970 */
  constructor(private readonly now: () => number = Date.now) {}

  /** @returns null when the token has to be verified */
  callerOf(token: string): Caller | null {
    const found = this.known.get(token);
    if (found === undefined) {
      return null;
    }
    if (found.until <= this.now()) {
      this.known.delete(token);
      return null;
    }
    return found.caller;
  }

  /** Remembers a caller for a minute, and never beyond the end of its token. */
  remember(token: string, caller: Caller): void {
    if (this.known.size >= MOST) {
      this.known.clear();
    }
    const until = Math.min(this.now() + BELIEVED_MS, caller.expiresAt * 1_000);
    this.known.set(token, { caller, until });
  }
}
