import { Logger } from '@nestjs/common';
import pg from 'pg';
import { hangUp } from './connection-pool.js';
import type { Database } from '../database.js';

const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 2_000;
const MAX_CONNECT_MS = 5_000;
/** The server's part of the time for an answer; what is left is for its word that it gave up. */
const SERVER_PART = 0.8;

export interface StandingConnectionOptions {
  /** Whose it is, in the log: `the worker's`. */
  readonly whose: string;
  /** How long the database may take to answer, in milliseconds; later, the connection is dead. */
  readonly answerMs: number;
  /** What each new connection is asked for before it counts as one. */
  greet(connection: pg.Client): Promise<void>;
  hear(channel: string, payload: string): void;
  /** There is a new one: notifications from before it are lost. */
  onConnected(): void;
  onLost(): void;
}

/**
 * A connection of one's own, for notifications, heartbeats and session locks. It is made anew, ever more
 * slowly, for as long as it is open; notifications sent meanwhile are lost, so `onConnected` must look
 * for itself.
 */
export class StandingConnection {
  private readonly logger = new Logger('StandingConnection');
  /** The newest; it may still be connecting. */
  private client: pg.Client | null = null;
  private ready = false;
  private fellSilent = false;
  private retryMs = FIRST_RETRY_MS;
  private retry: NodeJS.Timeout | null = null;
  private closed = false;

  constructor(
    private readonly database: Database,
    private readonly options: StandingConnectionOptions,
  ) {}

  get connected(): boolean {
    return this.ready;
  }

  /** Connects; when that fails, goes on trying in the background. */
  async open(): Promise<void> {
    const { whose, answerMs } = this.options;
    const client = this.database.dedicatedConnection({
      statementMs: answerMs * SERVER_PART,
      answerMs,
      connectMs: Math.min(answerMs, MAX_CONNECT_MS),
    });
    this.client = client;
    // `error` comes before `end`, or alone while connecting.
    client.on('error', (error) => {
      this.logger.warn({ err: error }, `${whose} connection failed; connects anew`);
    });
    client.on('end', () => this.lost(client));
    client.on('notification', ({ channel, payload = '' }) => this.options.hear(channel, payload));
    try {
      await client.connect();
      await this.options.greet(client);
    } catch (error) {
      this.logger.warn({ err: error }, `${whose} connection could not be opened`);
      this.fellSilent ||= isSilence(error);
      this.lost(client);
      return;
    }
    if (this.closed) {
      await hangUp(client);
      return;
    }
    this.ready = true;
    this.retryMs = FIRST_RETRY_MS;
    if (this.fellSilent) {
      // What is older than an answer by a new connection, and has none, was cut with the last one.
      this.fellSilent = false;
      this.database.discardConnections();
    }
    this.options.onConnected();
  }

  /**
   * Asks the database over this connection.
   * @throws what the statement throws; when the database did not answer, the connection is given up
   */
  async ask<T>(statement: (connection: pg.Client) => Promise<T>): Promise<T> {
    const { client } = this;
    if (client === null || !this.ready) {
      throw new Error('Connection terminated; the next is not there yet');
    }
    try {
      return await statement(client);
    } catch (error) {
      if (isSilence(error)) {
        this.fellSilent = true;
        this.lost(client);
      }
      throw error;
    }
  }

  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.retry ?? undefined);
    const { client } = this;
    this.client = null;
    this.ready = false;
    if (client !== null) {
      await hangUp(client);
    }
  }

  private lost(client: pg.Client): void {
    if (this.client !== client) {
      return;
    }
    this.client = null;
    const wasReady = this.ready;
    this.ready = false;
    void hangUp(client);
    this.retry = setTimeout(
      () => {
        this.retry = null;
        void this.open();
      },
      this.retryMs * (0.5 + Math.random() / 2),
    );
    this.retryMs = Math.min(LAST_RETRY_MS, this.retryMs * 2);
    if (wasReady) {
      this.options.onLost();
    }
  }
}

/** `pg` gives its own timeouts no code; a timeout of which the server tells is an answer. */
const isSilence = (error: unknown): boolean =>
  error instanceof Error && !(error instanceof pg.DatabaseError) && /timeout/i.test(error.message);
