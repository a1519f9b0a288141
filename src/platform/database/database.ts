import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { PrismaClient } from '../../generated/prisma/client.js';

/** Where the database is, and how much of it this process may use. */
export interface DatabaseOptions {
  /** A `postgres://` address. */
  readonly url: string;
  /** Most connections at once, besides the one for notifications. */
  readonly poolSize: number;
}

/**
 * The process's connections. One pool serves both ways of asking: `prisma` for typed, cold reads and
 * writes, `pool` for the store's own statements on hot paths, named so that they are planned once.
 */
@Injectable()
export class Database implements OnApplicationShutdown {
  readonly pool: pg.Pool;
  private client: PrismaClient | null = null;
  private readonly logger = new Logger('Database');

  constructor(private readonly options: DatabaseOptions) {
    this.pool = new pg.Pool({
      ...sessionOf(options.url),
      max: options.poolSize,
      connectionTimeoutMillis: 5_000,
      idleTimeoutMillis: 30_000,
      query_timeout: 35_000,
    });
    // Without a listener, the loss of an idle connection would end the process.
    this.pool.on('error', (error) => {
      this.logger.warn({ err: error }, 'an idle database connection was lost');
    });
  }

  /** Made when it is first asked for: a worker never does, and saves its memory. */
  get prisma(): PrismaClient {
    this.client ??= new PrismaClient({
      adapter: new PrismaPg(this.pool, {
        onPoolError: () => undefined,
        onConnectionError: () => undefined,
      }),
      errorFormat: 'minimal',
    });
    return this.client;
  }

  /** A connection of its own, outside the pool, for notifications and session locks. */
  dedicatedConnection(): pg.Client {
    return new pg.Client({ ...sessionOf(this.options.url), connectionTimeoutMillis: 5_000 });
  }

  async onApplicationShutdown(): Promise<void> {
    await this.client?.$disconnect();
    await this.pool.end();
  }
}

/**
 * Settings of each session: UTC, because Prisma's driver adapter reads and writes shifted times
 * otherwise; bounds on statements and idle transactions, so that a stuck one frees its locks;
 * statements planned once, since planning anew took a claim from ten organizations a quarter of its
 * time; and index lookups wherever there is an index. A statement that is planned while a table is nearly
 * empty would read all of it, and go on doing so while it fills, until its statistics are made anew:
 * status polls fell to half within 30,000 submits.
 */
const SESSION = [
  'TimeZone=UTC',
  'statement_timeout=30000',
  'idle_in_transaction_session_timeout=10000',
  'plan_cache_mode=force_generic_plan',
  'enable_seqscan=off',
  'enable_hashjoin=off',
  'enable_mergejoin=off',
];

function sessionOf(url: string): pg.ClientConfig {
  return {
    connectionString: url,
    application_name: 'headframe',
    keepAlive: true,
    options: SESSION.map((setting) => `-c ${setting}`).join(' '),
  };
}
