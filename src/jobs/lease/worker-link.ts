import { Logger } from '@nestjs/common';
import pg from 'pg';
import { ADVISORY_LOCKS } from '../../platform/database/advisory-locks.js';
import { hangUp } from '../../platform/database/connection-pool.js';
import type { Database } from '../../platform/database/database.js';
import { CANCEL_CHANNEL, WORK_CHANNEL, type JobSignals } from '../job/job-signals.js';

const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 2_000;
const MAX_CONNECT_MS = 5_000;
/** The server's part of the time for an answer; what is left is for its word that it gave up. */
const SERVER_PART = 0.8;

/**
 * The worker's own connection: it carries the heartbeats, holds the advisory lock that shows the
 * process to be alive, and hears the hints of others. So none of the three can be dead unnoticed, and
 * no heartbeat waits for a connection that others use. It reconnects for as long as it is open; hints
 * sent meanwhile are lost, so `onConnected` must look for itself.
 */
export class WorkerLink {
  private readonly logger = new Logger('WorkerLink');
  /** The newest; it may still be connecting. */
  private client: pg.Client | null = null;
  private ready = false;
  private fellSilent = false;
  private retryMs = FIRST_RETRY_MS;
  private retry: NodeJS.Timeout | null = null;
  private closed = false;

  /** @param answerMs how long the database may take to answer; later, the connection is dead */
  constructor(
    private readonly database: Database,
    private readonly signals: JobSignals,
    private readonly lockKey: number,
    private readonly answerMs: number,
    private readonly onConnected: () => void,
  ) {}

  get connected(): boolean {
    return this.ready;
  }

  /** Connects; when that fails, goes on trying in the background. */
  async open(): Promise<void> {
    const client = this.database.dedicatedConnection({
      statementMs: this.answerMs * SERVER_PART,
      answerMs: this.answerMs,
      connectMs: Math.min(this.answerMs, MAX_CONNECT_MS),
    });
    this.client = client;
    // `error` comes before `end`, or alone while connecting.
    client.on('error', (error) => {
      this.logger.warn({ err: error }, "the worker's connection failed; connects anew");
    });
    client.on('end', () => this.lost(client));
    client.on('notification', ({ channel, payload = '' }) => this.hear(channel, payload));
    try {
      await client.connect();
      // Shared: the server may not know yet that the connection before this one is dead.
      await client.query('SELECT pg_advisory_lock_shared($1, $2)', [
        ADVISORY_LOCKS.worker,
        this.lockKey,
      ]);
      await client.query(`LISTEN ${WORK_CHANNEL}; LISTEN ${CANCEL_CHANNEL}`);
    } catch (error) {
      this.logger.warn({ err: error }, "the worker's connection could not be opened");
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
    this.onConnected();
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
  }

  private hear(channel: string, payload: string): void {
    if (channel === WORK_CHANNEL) {
      this.signals.emit('work');
    } else {
      const [workerId = '', jobId = ''] = payload.split(' ');
      this.signals.emit('cancel', workerId, jobId);
    }
  }
}

/** `pg` gives its own timeouts no code; a timeout of which the server tells is an answer. */
const isSilence = (error: unknown): boolean =>
  error instanceof Error && !(error instanceof pg.DatabaseError) && /timeout/i.test(error.message);
