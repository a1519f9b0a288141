import { Logger } from '@nestjs/common';
import type { Client } from 'pg';
import type { Database } from '../platform/database/database.js';
import { CANCEL_CHANNEL, WORK_CHANNEL, type JobSignals } from './job.signals.js';
import { WORKER_LOCK_CLASS } from './worker.store.js';

const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 2_000;

/**
 * The worker's own connection: it holds the advisory lock that shows the process to be alive, and
 * hears the hints of others. It reconnects for as long as it is open; hints sent meanwhile are lost,
 * so `onConnected` must look for itself.
 */
export class WorkerLink {
  private readonly logger = new Logger('WorkerLink');
  private client: Client | null = null;
  private retryMs = FIRST_RETRY_MS;
  private retry: NodeJS.Timeout | null = null;
  private closed = false;

  constructor(
    private readonly database: Database,
    private readonly signals: JobSignals,
    private readonly lockKey: number,
    private readonly onConnected: () => void,
  ) {}

  get connected(): boolean {
    return this.client !== null;
  }

  /** Connects; when that fails, goes on trying in the background. */
  async open(): Promise<void> {
    const client = this.database.dedicatedConnection();
    // `error` comes before `end`, or alone while connecting.
    client.on('error', (error) => {
      this.logger.warn({ err: error }, 'the connection for hints failed; polling goes on');
    });
    client.on('end', () => this.lost(client));
    client.on('notification', ({ channel, payload = '' }) => this.hear(channel, payload));
    try {
      await client.connect();
      await client.query('SELECT pg_advisory_lock($1, $2)', [WORKER_LOCK_CLASS, this.lockKey]);
      await client.query(`LISTEN ${WORK_CHANNEL}; LISTEN ${CANCEL_CHANNEL}`);
    } catch (error) {
      this.logger.warn({ err: error }, 'the connection for hints could not be opened');
      this.lost(client);
      return;
    }
    if (this.closed) {
      await client.end();
      return;
    }
    this.client = client;
    this.retryMs = FIRST_RETRY_MS;
    this.onConnected();
  }

  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.retry ?? undefined);
    await this.client?.end().catch(() => undefined);
    this.client = null;
  }

  private lost(client: Client): void {
    if (this.client === client) {
      this.client = null;
    }
    client.end().catch(() => undefined);
    if (this.closed || this.retry !== null) {
      return;
    }
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
