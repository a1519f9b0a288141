import { KeyObject } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { createLocalJWKSet, errors } from 'jose';
import { Problem } from '../../platform/http/problem/problem.js';
import type { KeySetSource } from './key-set-source.js';
import type { TokenHeader } from './token-header.js';

/** How long keys are believed without asking for them again. */
const CACHE_MS = 10 * 60_000;
/** Tokens with unknown key ids, of which anybody can make any number, cause no more fetches than this. */
const UNKNOWN_EVERY_MS = 30_000;
/** A provider that is away is asked again at most this often. */
const RETRY_MS = 1_000;
/** While it is away, its last known keys are believed for so long. */
const STALE_MS = 24 * 60 * 60_000;

/**
 * The keys of an identity provider: fetched when first needed, again when they are old or a token names
 * one that is not among them, and kept while the provider is away. One fetch at a time, which all who
 * need it wait for.
 */
export class KeySet {
  private keys: ReturnType<typeof createLocalJWKSet> | null = null;
  private fetchedAt = Number.NEGATIVE_INFINITY;
  private failedAt: number | null = null;
  private askedForUnknownAt = Number.NEGATIVE_INFINITY;
  private fetching: Promise<void> | null = null;
  private readonly logger = new Logger('KeySet');

  /** @param now a clock that never goes back, in milliseconds */
  constructor(
    private readonly source: KeySetSource,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /**
   * The public key that a token names.
   * @throws a JOSEError when there is none; Problem `unavailable` when the provider cannot be asked
   */
  async keyOf(header: TokenHeader): Promise<KeyObject> {
    if (this.age > CACHE_MS) {
      const refreshed = this.refresh();
      // No request waits for a provider that was away the last time, unless no keys are known.
      if (this.failedAt === null || this.age > STALE_MS) {
        await refreshed;
      }
    }
    try {
      return await this.find(header);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) {
        throw error;
      }
    }
    // Perhaps a new key: requests that name it while it is being fetched wait, too.
    if (this.fetching !== null) {
      await this.fetching;
    } else if (this.now() - this.askedForUnknownAt >= UNKNOWN_EVERY_MS) {
      this.askedForUnknownAt = this.now();
      await this.refresh();
    }
    if (this.failedAt !== null) {
      throw outage();
    }
    return this.find(header);
  }

  private get age(): number {
    return this.now() - this.fetchedAt;
  }

  private async find(header: TokenHeader): Promise<KeyObject> {
    if (this.keys === null || this.age > STALE_MS) {
      throw outage();
    }
    return KeyObject.from(await this.keys(header));
  }

  private async refresh(): Promise<void> {
    if (this.failedAt !== null && this.now() - this.failedAt < RETRY_MS) {
      return;
    }
    this.fetching ??= this.fetch().finally(() => {
      this.fetching = null;
    });
    await this.fetching;
  }

  private async fetch(): Promise<void> {
    try {
      this.keys = createLocalJWKSet(await this.source.fetch());
      this.fetchedAt = this.now();
      this.failedAt = null;
    } catch (error) {
      this.failedAt = this.now();
      this.logger.warn({ err: error }, 'the keys of the identity provider cannot be fetched');
    }
  }
}

const outage = (): Problem =>
  new Problem('unavailable', 'The keys of the token cannot be fetched: try again soon.', {
    headers: { 'retry-after': '5' },
  });
