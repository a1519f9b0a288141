import type { AttemptOutcome } from '../../../jobs/lease/attempt-outcome.js';
import { Injectable, Logger, type Type } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import type { Attempt, Runner } from '../attempt.js';
import { executeTask } from '../execute-task.js';
import type { CodeTask } from '../../task.js';
import { taskKey } from '../../catalogue/task-catalogue.js';

/** A task that has not stopped by itself this long after its signal is abandoned. */
const GRACE_MS = 1_000;

/** Runs I/O-bound tasks on this process's event loop, with Nest providers handed in. */
@Injectable()
export class InlineRunner implements Runner {
  private readonly logger = new Logger('InlineRunner');
  private readonly dependencies = new Map<Type, Promise<unknown>>();

  constructor(private readonly modules: ModuleRef) {}

  async run(attempt: Attempt): Promise<AttemptOutcome> {
    const task = attempt.entry.task as CodeTask;
    const classes = task.runner === 'inline' ? (task.inject ?? []) : [];
    const dependencies =
      classes.length === 0
        ? []
        : await Promise.all(classes.map((provider) => this.dependency(provider as Type)));
    const work = executeTask(
      task,
      attempt.parameters,
      {
        jobId: attempt.jobId,
        attempt: attempt.number,
        signal: attempt.signal,
        threads: 1,
        progress: (percent, message) => attempt.onProgress(percent, message ?? null),
      },
      dependencies,
    );
    return this.settled(attempt, work);
  }

  /** A provider of the application; or, for a class that no module knows, one made for tasks alone. */
  private dependency(provider: Type): Promise<unknown> {
    const known = this.dependencies.get(provider) ?? this.find(provider);
    this.dependencies.set(provider, known);
    return known;
  }

  private async find(provider: Type): Promise<unknown> {
    try {
      return this.modules.get<unknown>(provider, { strict: false });
    } catch {
      return this.modules.create<unknown>(provider);
    }
  }

  /**
   * What the task comes to; or, when it has not stopped by the end of its grace time, that it was
   * stopped. Plain callbacks: on short jobs, abort controllers took more time than all else here.
   */
  private settled(attempt: Attempt, work: Promise<AttemptOutcome>): Promise<AttemptOutcome> {
    const { signal } = attempt;
    return new Promise((resolve) => {
      let grace: NodeJS.Timeout | undefined;
      const wait = (): void => {
        grace = setTimeout(() => {
          this.logger.error(
            { job: attempt.jobId, task: taskKey(attempt.entry.task) },
            'an inline task ignores its signal and is abandoned: it may still be running',
          );
          resolve({ kind: 'stopped' });
        }, GRACE_MS);
      };
      signal.addEventListener('abort', wait, { once: true });
      if (signal.aborted) {
        wait();
      }
      void work.then((outcome) => {
        signal.removeEventListener('abort', wait);
        clearTimeout(grace);
        resolve(outcome);
      });
    });
  }
}
