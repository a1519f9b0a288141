import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { mayPass } from './database/database-errors.js';

export interface PeriodicOptions {
  /** What it is called in the log. */
  readonly name: string;
  readonly everyMs: number;
  /** How long a call may take before it is aborted; by default ten intervals, and at least 10 s. */
  readonly deadlineMs?: number;
}

/** Each call begins up to this part of the interval late, by chance: replicas do not walk in step. */
const JITTER = 1 / 10;
const SHORTEST_DEADLINE_MS = 10_000;
/** The end of the process waits no longer for a call that does not heed its signal. */
const STOP_MS = 2_000;

/**
 * Work that a timer asks for again and again. One call runs at a time: a tick that finds one running is
 * passed over. A call is aborted when it takes too long or the process ends. Failures are logged
 * in one line each, and those of a database that is away only at level debug: others tell of it.
 */
export class Periodic {
  private readonly logger: Logger;
  private running: Promise<void> | null = null;
  private current = new AbortController();
  private stopped = false;

  /** @param work one call; heeds the signal where it takes long */
  constructor(
    private readonly options: PeriodicOptions,
    private readonly work: (signal: AbortSignal) => Promise<void> | void,
  ) {
    this.logger = new Logger(options.name);
  }

  /** One tick: begins a call unless one is running. Never rejects. */
  async tick(): Promise<void> {
    if (this.stopped) {
      return;
    }
    this.running ??= this.call().finally(() => {
      this.running = null;
    });
    await this.running;
  }

  /** Tells the call that is running to end, waits for that a while, and begins no other. Never rejects. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.current.abort();
    await Promise.race([this.running, sleep(STOP_MS, undefined, { ref: false })]);
  }

  private async call(): Promise<void> {
    const { everyMs, deadlineMs = Math.max(10 * everyMs, SHORTEST_DEADLINE_MS) } = this.options;
    const { signal } = (this.current = new AbortController());
    const deadline = setTimeout(() => {
      this.logger.warn({ seconds: deadlineMs / 1_000 }, 'takes too long: is told to stop');
      this.current.abort();
    }, deadlineMs).unref();
    try {
      await sleep(Math.random() * everyMs * JITTER, undefined, { signal, ref: false });
      await this.work(signal);
    } catch (error) {
      // What a call says that was told to stop is no failure of its own.
      if (!signal.aborted) {
        this.tellFailure(error);
      }
    } finally {
      clearTimeout(deadline);
    }
  }

  private tellFailure(error: unknown): void {
    const next = `tries again in ${this.options.everyMs / 1_000} s`;
    if (mayPass(error)) {
      this.logger.debug({ err: error }, `the database cannot do it now; ${next}`);
    } else {
      this.logger.error({ err: error }, `failed; ${next}`);
    }
  }
}
