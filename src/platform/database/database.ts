import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { type Prisma, PrismaClient } from '../../generated/prisma/client.js';
import { ConnectionPool } from './connections/connection-pool.js';
import type { DatabaseMetrics } from '../metrics/database-metrics.js';
import { faultOfPooler } from './connections/pooler.js';
import { UnnamedClient } from './connections/unnamed-client.js';
import { queryFor, readFor, type RequestOptions, scopeOf } from './request-scope.js';
import {
  type DatabaseRole,
  type Patience,
  REQUESTS,
  sessionOf,
  settingsOf,
  WORK,
} from './session.js';

/** Where the database is, and how much of it this process may use. */
export interface DatabaseOptions {
  /** A `postgres://` address, with a login that may take the roles below. */
  readonly url: string;
  /** The same with another login, for requests; that of `url` when it is not said. */
  readonly requestUrl?: string;
  /** The server itself, when the addresses above lead through a pooler. */
  readonly directUrl?: string | undefined;
  /** For what requests ask; `headframe_api` when it is not said. */
  readonly requestRole?: DatabaseRole;
  /** Most connections at once for work. */
  readonly poolSize: number;
  /** Most connections at once for requests; as many as for work when it is not said. */
  readonly requestPoolSize?: number;
  /** What its statements and connections are measured by. */
  readonly metrics?: DatabaseMetrics;
}

/**
 * The process's connections: those for requests of clients, whose statements are cut off after 5 s,
 * and those for its own work, whose statements may take 30 s. Neither can use up the other's.
 * Statements of hot paths go to a pool by a name, so that they are planned once; through a pooler the
 * names are left out.
 */
@Injectable()
export class Database implements OnApplicationShutdown {
  private readonly forRequests: ConnectionPool;
  private readonly forWork: ConnectionPool;
  private client: PrismaClient | null = null;

  constructor(private readonly options: DatabaseOptions) {
    const plain = options.directUrl === undefined ? pg.Client : UnnamedClient;
    const client = options.metrics?.measured(plain) ?? plain;
    this.forRequests = new ConnectionPool(
      options.requestUrl ?? options.url,
      options.requestRole ?? 'headframe_api',
      options.requestPoolSize ?? options.poolSize,
      REQUESTS,
      client,
    );
    this.forWork = new ConnectionPool(
      options.url,
      'headframe_worker',
      options.poolSize,
      WORK,
      client,
    );
    options.metrics?.watch('requests', this.forRequests.pool);
    options.metrics?.watch('work', this.forWork.pool);
  }

  /** For what a client waits for, and what is no organization's: it sees no organization's rows. */
  get requests(): pg.Pool {
    return this.forRequests.pool;
  }

  /**
   * One statement for clients of these organizations (lower-case UUIDs): the database shows it their
   * rows and no others.
   */
  queryFor<Row extends pg.QueryResultRow = pg.QueryResultRow>(
    organizations: readonly string[],
    statement: pg.QueryConfig,
    options?: RequestOptions,
  ): Promise<pg.QueryResult<Row>> {
    return queryFor<Row>(this.requests, organizations, statement, options);
  }

  /** The rows of one query for clients of these organizations, one by one; see `readFor`. */
  readFor<Row extends pg.QueryResultRow>(
    organizations: readonly string[],
    query: { readonly text: string; readonly values: unknown[] },
  ): AsyncGenerator<Row> {
    return readFor<Row>(this.requests, organizations, query);
  }

  /** For all else: claims, outcomes, reaping, hints. It sees all rows. */
  get pool(): pg.Pool {
    return this.forWork.pool;
  }

  /**
   * Typed, cold reads for clients of these organizations (lower-case UUIDs): the database shows them
   * their rows and no others. They are one transaction and see one snapshot; each costs a round trip of
   * its own, so hot paths use `queryFor`.
   * @param reads makes the reads, which have not begun; they run in this order
   * @returns their answers in the same order
   * @throws whatever a read fails with
   */
  async prismaFor<Reads extends Prisma.PrismaPromise<unknown>[]>(
    organizations: readonly string[],
    reads: (prisma: PrismaClient) => readonly [...Reads],
  ): Promise<{ [Place in keyof Reads]: Awaited<Reads[Place]> }> {
    const { prisma } = this;
    const [, ...answers] = await prisma.$transaction(
      [prisma.$queryRawUnsafe(scopeOf(organizations)), ...reads(prisma)],
      { isolationLevel: 'RepeatableRead' },
    );
    return answers as { [Place in keyof Reads]: Awaited<Reads[Place]> };
  }

  /**
   * Typed, cold reads and writes of operators, on the connections for requests; `prismaFor` is for those
   * of clients: without an organization named it sees the rows of none. Made when it is first asked
   * for: a worker never does, and saves its memory.
   */
  get prisma(): PrismaClient {
    this.client ??= new PrismaClient({
      adapter: new PrismaPg(this.requests, {
        onPoolError: () => undefined,
        onConnectionError: () => undefined,
      }),
      errorFormat: 'minimal',
    });
    return this.client;
  }

  /** A connection of its own, outside the pools, for heartbeats, notifications and session locks. */
  dedicatedConnection(patience: Patience): pg.Client {
    const { url, directUrl = url } = this.options;
    return new pg.Client(sessionOf(directUrl, 'headframe_worker', patience));
  }

  /** Whether the pools connect through a pooler: then their sessions are not theirs alone. */
  get pooled(): boolean {
    return this.options.directUrl !== undefined;
  }

  /**
   * @returns what is wrong with the ways of the pools to the database, and what to do; null when nothing is
   * @throws what a connection fails with
   */
  async faultOfWays(): Promise<string | null> {
    const { requestRole = 'headframe_api' } = this.options;
    const ways = [
      { pool: this.requests, settings: settingsOf(requestRole, REQUESTS.statementMs) },
      { pool: this.pool, settings: settingsOf('headframe_worker', WORK.statementMs) },
    ];
    for (const { pool, settings } of ways) {
      const fault = await faultOfPooler(pool, settings, this.pooled);
      if (fault !== null) {
        return fault;
      }
    }
    return null;
  }

  /**
   * Gives up all connections of the pools: for one who knows that those made before some moment are
   * dead, which they would each find out for themselves only after their own patience.
   */
  discardConnections(): void {
    this.forRequests.discard();
    this.forWork.discard();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.client?.$disconnect();
    await Promise.all([this.forRequests.close(), this.forWork.close()]);
  }
}
