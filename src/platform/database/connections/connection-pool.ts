import { Logger } from '@nestjs/common';
import pg from 'pg';
import { type DatabaseRole, type Patience, sessionOf } from '../session.js';

const IDLE_MS = 30_000;
/** How long connections are let say goodbye: a dead one never does. */
const GOODBYE_MS = 2_000;

/**
 * Connections that are shared. One whose statement was not answered in time is not used again: `pg`
 * removes what it releases with an error, and does not wait for a connection that owes an answer.
 */
export class ConnectionPool {
  readonly pool: pg.Pool;
  private readonly connections = new Set<pg.PoolClient>();
  private readonly logger = new Logger('Database');

  /**
   * @param size most connections at once
   * @param client what each is made of
   */
  constructor(
    url: string,
    role: DatabaseRole,
    size: number,
    patience: Patience,
    client: typeof pg.Client = pg.Client,
  ) {
    this.pool = new pg.Pool({
      ...sessionOf(url, role, patience),
      // Statements that are sent together do not wait for each other's answers.
      pipeline: true,
      max: size,
      Client: client,
      idleTimeoutMillis: IDLE_MS,
    });
    this.pool.on('connect', (connection) => {
      this.connections.add(connection);
      // A connection that is lost says so to its statements, and once or twice to itself: without a
      // listener for as long as it lives, that would end the process.
      connection.on('error', () => undefined);
    });
    this.pool.on('remove', (connection) => this.connections.delete(connection));
    // Without a listener, the loss of an idle connection would end the process.
    this.pool.on('error', (error) => {
      this.logger.warn({ err: error }, 'an idle database connection was lost');
    });
  }

  /** Gives up all connections: what waits for an answer on one fails at once, as if it were cut. */
  discard(): void {
    this.connections.forEach(cut);
  }

  /** Lets what is under way finish. */
  async close(): Promise<void> {
    const impatience = setTimeout(() => this.discard(), GOODBYE_MS);
    await this.pool.end();
    clearTimeout(impatience);
  }
}

/** Ends a connection without a word, so that it does not matter whether anybody hears it. */
function cut(connection: pg.ClientBase): void {
  (connection as pg.Client).connection.stream.destroy();
}

/** Ends a connection: politely, if it can be had at once. */
export async function hangUp(connection: pg.Client): Promise<void> {
  const impatience = setTimeout(() => cut(connection), GOODBYE_MS);
  await connection.end().catch(() => undefined);
  clearTimeout(impatience);
}
