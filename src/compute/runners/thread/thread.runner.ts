import type { AttemptOutcome } from '../../../jobs/lease/attempt-outcome.js';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { MessageChannel } from 'node:worker_threads';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Piscina } from 'piscina';
import { jobProblem } from '../../../jobs/job/job-problems.js';
import { THREAD_ARGUMENTS } from '../../../platform/thread-arguments.js';
import { CONFIG, type Config } from '../../../platform/config.js';
import { type Attempt, type Runner, STOP_REASONS, type StopReason } from '../attempt.js';
import type { ThreadJob, ThreadMessage } from './thread-protocol.js';

/** A thread that has not stopped by itself this long after its signal is killed. */
const GRACE_MS = 150;
/** An idle thread is kept this long, for the next task to find it warm. */
const IDLE_MS = 60_000;

/**
 * Runs CPU-bound tasks in worker threads: as many as there are slots, each with a limit on its
 * heap. A thread that does not heed its signal is killed; nothing of it goes on.
 */
@Injectable()
export class ThreadRunner implements Runner, OnApplicationShutdown {
  private readonly pool: Piscina<ThreadJob, AttemptOutcome>;
  private readonly memoryMegabytes: number;

  constructor(@Inject(CONFIG) config: Config) {
    this.memoryMegabytes = config.WORKER_MEMORY_MB;
    this.pool = new Piscina({
      filename: fileURLToPath(new URL('./task.thread.js', import.meta.url)),
      minThreads: 0,
      maxThreads: config.WORKER_SLOTS,
      idleTimeout: IDLE_MS,
      // Tasks are trusted, but have no business with the service's secrets.
      env: {},
      execArgv: [...THREAD_ARGUMENTS],
      resourceLimits: { maxOldGenerationSizeMb: config.WORKER_MEMORY_MB },
    });
  }

  async run(attempt: Attempt): Promise<AttemptOutcome> {
    const { port1: inbox, port2: port } = new MessageChannel();
    const stop = new Int32Array(new SharedArrayBuffer(4));
    inbox.on('message', (told: ThreadMessage) => {
      if ('span' in told) {
        attempt.trace?.record?.(told.span);
      } else {
        attempt.onProgress(told.percent, told.message);
      }
    });
    const kill = new AbortController();
    const settled = new AbortController();
    attempt.signal.addEventListener(
      'abort',
      () => {
        Atomics.store(stop, 0, 1 + STOP_REASONS.indexOf(attempt.signal.reason as StopReason));
        void this.killAfterGrace(kill, settled.signal);
      },
      { once: true, signal: settled.signal },
    );
    try {
      const outcome = await this.pool.run(
        {
          moduleUrl: attempt.entry.moduleUrl,
          jobId: attempt.jobId,
          attempt: attempt.number,
          parameters: attempt.parameters,
          port,
          stop,
          threads: attempt.threads,
          traced: Boolean(attempt.trace?.record),
        },
        { transferList: [port], signal: kill.signal },
      );
      await this.drain(inbox);
      return outcome;
    } catch (error) {
      return attempt.signal.aborted ? { kind: 'stopped' } : this.threadLost(error);
    } finally {
      settled.abort();
      inbox.close();
    }
  }

  async onApplicationShutdown(): Promise<void> {
    await this.pool.destroy();
  }

  private async killAfterGrace(kill: AbortController, settled: AbortSignal): Promise<void> {
    await sleep(GRACE_MS, undefined, { signal: settled }).then(
      () => kill.abort(),
      () => undefined,
    );
  }

  /** The last progress may still be on its way when the outcome is here: one turn lets it in. */
  private async drain(inbox: MessageChannel['port1']): Promise<void> {
    await Promise.race([once(inbox, 'message').catch(() => undefined), sleep(0)]);
  }

  private threadLost(error: unknown): AttemptOutcome {
    const { code } = (error ?? {}) as { code?: unknown };
    if (code === 'ERR_WORKER_OUT_OF_MEMORY') {
      return {
        kind: 'failed',
        retryable: false,
        problem: jobProblem(
          'out-of-memory',
          `The task needed more than the ${this.memoryMegabytes} MiB it may use: ask for less at once.`,
        ),
      };
    }
    return {
      kind: 'failed',
      retryable: true,
      problem: jobProblem(
        'task-failed',
        'The task ended its thread unexpectedly: the log of the worker says why.',
      ),
      stack: error instanceof Error ? (error.stack ?? error.message) : String(error),
    };
  }
}
