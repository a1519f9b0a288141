import { Problem } from '../problem/problem.js';

/** Bodies up to here may use all of the budget, larger ones only the rest of it beyond the reserve. */
const SMALL_BYTES = 64 * 1024;
/** One part in so many of the process's budget that only small bodies may use. */
const RESERVE = 8;
/** Seconds after which a refused client may find room: most bodies are done with sooner. */
const RETRY_SECONDS = '2';

/** What one body has of the budget. */
export interface Reservation {
  /** @throws Problem as {@link BodyBudget.reserve}; what was reserved before stays so */
  grow(bytes: number): void;
  /** Gives all of it back; a second call does nothing. */
  release(): void;
}

/**
 * How many bytes of bodies this process holds at once, of all clients and of each organization: from
 * before a body is read until its job is stored. An organization that has its share is refused alone;
 * an eighth of the whole is kept for bodies of up to 64 KiB, which large ones cannot crowd out.
 */
export class BodyBudget {
  private held = 0;
  private readonly heldBy = new Map<string, number>();

  /**
   * @param processBytes most of all organizations together
   * @param organizationBytes most of one
   */
  constructor(
    private readonly processBytes: number,
    private readonly organizationBytes: number,
  ) {}

  /** Bytes that are reserved at the moment. */
  get bytes(): number {
    return this.held;
  }

  /**
   * @param bytes the length that was announced, or 0 where it shows only as the body comes
   * @throws Problem `too-many-requests` when the organization has its share, `unavailable` when the
   *   process has all it may
   */
  reserve(organization: string, bytes: number): Reservation {
    let mine = 0;
    const grow = (more: number): void => {
      this.take(organization, more, mine + more);
      mine += more;
    };
    grow(bytes);
    return {
      grow,
      release: () => {
        this.give(organization, mine);
        mine = 0;
      },
    };
  }

  private take(organization: string, more: number, size: number): void {
    const theirs = (this.heldBy.get(organization) ?? 0) + more;
    if (theirs > this.organizationBytes) {
      throw new Problem(
        'too-many-requests',
        'The organization sends more bytes at once than it may: wait until some of its requests are answered.',
        { headers: { 'retry-after': RETRY_SECONDS } },
      );
    }
    const reserve = size > SMALL_BYTES ? Math.floor(this.processBytes / RESERVE) : 0;
    if (this.held + more > this.processBytes - reserve && this.held > 0) {
      throw new Problem(
        'unavailable',
        'The service receives as many bytes at once as it may: try again soon.',
        { headers: { 'retry-after': RETRY_SECONDS } },
      );
    }
    this.held += more;
    this.heldBy.set(organization, theirs);
  }

  private give(organization: string, bytes: number): void {
    this.held -= bytes;
    const theirs = (this.heldBy.get(organization) ?? 0) - bytes;
    if (theirs > 0) {
      this.heldBy.set(organization, theirs);
    } else {
      this.heldBy.delete(organization);
    }
  }
}
