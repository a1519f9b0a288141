import { Coalescer } from '../database/coalescer.js';
import { Database } from '../database/database.js';
import { isDatabaseUnavailable } from '../database/database-errors.js';
import { NIL_UUID } from '../ids/uuid.js';

/** Whose bucket it is: an organization's (a lower-case UUID), or a network address's. */
export interface BucketKey {
  /** What is counted. */
  readonly bucket: string;
  readonly holder: { readonly orgId: string } | { readonly address: string };
}

/** A request for tokens of a bucket. */
export interface Ask extends BucketKey {
  readonly tokens: number;
  /** Tokens per minute unless SQL function `rate_limit_of` knows better; 0: no limit. */
  readonly perMinute: number;
}

export interface Grant {
  /** As many as were asked for, or fewer. Never more than a twentieth of a minute's at once. */
  readonly tokens: number;
  /** What the bucket still has. */
  readonly left: number;
  /** The limit that holds; 0: none. */
  readonly perMinute: number;
}

/** A bucket is full again after a minute. */
const FORGET_AFTER = '10 minutes';

/**
 * The token buckets that all replicas draw from: each holds a minute's tokens and fills up steadily, by
 * the clock of the database. The wishes of one moment are one statement.
 */
export class BucketStore {
  private readonly asks: Coalescer<Ask, Grant>;

  constructor(private readonly database: Database) {
    this.asks = new Coalescer({
      run: (asks) => this.takeAll(asks),
      maxItems: 256,
      maxBatches: 1,
      retryAlone: (error) => !isDatabaseUnavailable(error),
    });
  }

  /** @throws whatever the statement fails with */
  take(ask: Ask): Promise<Grant> {
    return this.asks.submit(ask);
  }

  /** Forgets buckets that have been full for long. */
  async clean(): Promise<void> {
    await this.database.pool.query({
      name: 'clean-rate-limits',
      text: `DELETE FROM rate_limit_levels WHERE filled_at < clock_timestamp() - interval '${FORGET_AFTER}'`,
    });
  }

  private async takeAll(asks: readonly Ask[]): Promise<Grant[]> {
    type Row = { per_minute: number; granted: number | null; level: number | null };
    const { rows } = await this.database.pool.query<Row>({
      name: 'take-rate-limits',
      text: `
        WITH asked AS (
          SELECT asked.org_id, asked.address, asked.bucket, asked.tokens, asked.place,
            allowed.per_minute
          FROM unnest($1::uuid[], $2::text[], $3::text[], $4::int[], $5::int[])
            WITH ORDINALITY AS asked(org_id, address, bucket, tokens, per_minute, place)
          CROSS JOIN LATERAL rate_limit_of(asked.org_id, asked.bucket, asked.per_minute) allowed
        ), given AS (
          INSERT INTO rate_limit_levels AS held (org_id, address, bucket, level, granted, filled_at)
          SELECT org_id, address, bucket, per_minute - wanted, wanted, clock_timestamp()
          FROM asked, LATERAL (SELECT least(tokens, greatest(1, per_minute / 20)) AS wanted) capped
          WHERE per_minute > 0 ORDER BY org_id, address, bucket
          ON CONFLICT (org_id, address, bucket) DO UPDATE SET (level, granted, filled_at) = (
            SELECT filled - given, given, greatest(held.filled_at, excluded.filled_at)
            FROM (
              SELECT per_minute, least(per_minute, held.level + per_minute / 60.0
                * greatest(0, extract(epoch FROM excluded.filled_at - held.filled_at))) AS filled
              FROM (SELECT excluded.level + excluded.granted AS per_minute) the_limit) bucket,
            LATERAL (SELECT greatest(0, least(excluded.granted, floor(filled)))::int AS given) taken)
          RETURNING org_id, address, bucket, granted, level
        )
        SELECT asked.per_minute, given.granted, given.level
        FROM asked LEFT JOIN given USING (org_id, address, bucket) ORDER BY asked.place`,
      values: [
        asks.map(({ holder }) => ('orgId' in holder ? holder.orgId : NIL_UUID)),
        asks.map(({ holder }) => ('address' in holder ? holder.address : '')),
        asks.map(({ bucket }) => bucket),
        asks.map(({ tokens }) => tokens),
        asks.map(({ perMinute }) => perMinute),
      ],
    });
    return rows.map((row) => ({
      tokens: row.granted ?? 0,
      left: Math.max(0, row.level ?? 0),
      perMinute: row.per_minute,
    }));
  }
}
