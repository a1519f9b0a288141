import type { AttemptOutcome } from '../../../jobs/lease/attempt-outcome.js';
import { Injectable, Logger, type Type } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import type { Attempt, Runner } from '../attempt.js';
import { executeTask } from '../execute-task.js';
import { SpanRecorder } from '../trace/span-recorder.js';
import type { CodeTask, TaskContext } from '../../task.js';
import { taskKey } from '../../catalogue/task-catalogue.js';

/** A task that has not stopped by itself this long after its signal is abandoned. */
const GRACE_MS = 1_000;

const untraced: TaskContext['span'] = (_name, work) => work();

/** A class: an object with a getter of its own takes two kilobytes, and as long as a short task. */
class InlineContext implements TaskContext {
  readonly jobId: string;
  readonly attempt: number;
  readonly threads = 1;

  readonly span: TaskContext['span'];

  constructor(private readonly of: Attempt) {
    this.jobId = of.jobId;
    this.attempt = of.number;
    this.span = of.trace?.record ? new SpanRecorder(of.trace.record).span : untraced;
  }

  get signal(): AbortSignal {
    return this.of.signal;
  }

  /** A property, so that tasks may take it off the context. */
  readonly progress = (percent: number, message?: string): void =>
    this.of.onProgress(percent, message ?? null);
}

/** Runs I/O-bound tasks on this process's event loop, with Nest providers handed in. */
@Injectable()
export class InlineRunner implements Runner {
  private readonly logger = new Logger('InlineRunner');
  private readonly dependencies = new Map<Type, Promise<unknown>>();

  constructor(private readonly modules: ModuleRef) {}

  run(attempt: Attempt): Promise<AttemptOutcome> {
    const task = attempt.entry.task as CodeTask;
    const classes = task.runner === 'inline' ? (task.inject ?? []) : [];
    return classes.length === 0
      ? this.runWith(attempt, task, [])
      : Promise.all(classes.map((provider) => this.dependency(provider as Type))).then(
          (dependencies) => this.runWith(attempt, task, dependencies),
        );
  }

  private runWith(
    attempt: Attempt,
    task: CodeTask,
    dependencies: readonly unknown[],
  ): Promise<AttemptOutcome> {
    const context = new InlineContext(attempt);
    return this.settled(attempt, executeTask(task, attempt.parameters, context, dependencies));
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
   * stopped.
   */
  private settled(attempt: Attempt, work: Promise<AttemptOutcome>): Promise<AttemptOutcome> {
    return new Promise((resolve) => {
      let grace: NodeJS.Timeout | undefined;
      let done = false;
      attempt.onStop(() => {
        if (!done) {
          grace = setTimeout(() => {
            this.logger.error(
              { job: attempt.jobId, task: taskKey(attempt.entry.task) },
              'an inline task ignores its signal and is abandoned: it may still be running',
            );
            resolve({ kind: 'stopped' });
          }, GRACE_MS);
        }
      });
      void work.then((outcome) => {
        done = true;
        clearTimeout(grace);
        resolve(outcome);
      });
    });
  }
}
