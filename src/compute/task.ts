import type { z } from 'zod';
import type { JsonSchema } from './schema/json.schema.js';
import type { TaskViews } from './catalogue/view.schema.js';
import type { ProcessCommand } from './catalogue/process-command.js';
import type { Backoff } from '../jobs/lease/attempt-outcome.js';

/** What a running task may ask of the service. */
export interface TaskContext {
  /** The job this attempt belongs to: use it as the idempotency key of outside effects. */
  readonly jobId: string;
  /** 1 for the first start of the job, one more for each later start. */
  readonly attempt: number;
  /**
   * Aborts when the job is canceled, times out, or this attempt lost its lease. A task that has not
   * stopped when the grace period ends is killed (thread) or abandoned (inline).
   */
  readonly signal: AbortSignal;
  /**
   * How many threads the job may use now, its own included: 1, or up to `resources.threads` of its task
   * while slots of the worker are idle. It changes as other jobs come and go: look again now and then, and
   * let surplus threads rest.
   */
  readonly threads: number;
  /**
   * Tells how far the work is. Cheap to call often: the service keeps the latest and stores it at
   * most twice a second. In a thread it also looks for a cancel, and throws `signal.reason` when there is one.
   * @param percent 0–100; fractions are rounded down, values outside are clamped, and a value lower
   *   than an earlier one of the same attempt is ignored
   * @param message one line for people, at most 1,000 characters
   */
  progress(percent: number, message?: string): void;
  /**
   * Does a piece of the work and, where the operator traces, tells how long it took: a span by that name in the
   * trace of the job. Pieces within pieces are told as such; beyond 1,000 of an attempt none are.
   * @param work whose result, or promise of one, is returned
   */
  span<T>(name: string, work: () => T): T;
}

type Constructor<T> = abstract new (...args: never[]) => T;
type InjectionTokens<D extends readonly unknown[]> = { readonly [K in keyof D]: Constructor<D[K]> };

interface TaskBase<P extends z.ZodType | JsonSchema, R extends z.ZodType | JsonSchema> {
  /** Path segments: `^[a-z0-9][a-z0-9-]{0,62}$`. */
  readonly topic: string;
  readonly name: string;
  readonly displayName: string;
  /** Semantic version of the task: raise the first number when parameters or results break. */
  readonly version: string;
  /** Markdown, shown in the catalogue and in Swagger UI. */
  readonly description: string;
  /** An object schema; unknown members should be refused (`z.strictObject`). */
  readonly parameters: P;
  /** An object schema; results are checked against it before they are stored. */
  readonly results: R;
  /** Parameters that work with "Try it out" in Swagger UI. */
  readonly example: P extends z.ZodType ? z.input<P> : object;
  /** How the console shows the results; without it, as a tree. */
  readonly view?: TaskViews;
  /** Seconds of running after which the attempt fails with `task-timeout`. */
  readonly timeoutSeconds: number;
  /** How many attempts may fail before the job does. Default 1. Typed problems are never retried. */
  readonly maxAttempts?: number;
  /** How long the job waits between attempts. Default: a random part of 1, 2, 4 … at most 60 seconds. */
  readonly backoff?: Backoff;
  /** Name of the feature flag: makes this a preview task, which needs `API-Preview: opt-in`. */
  readonly previewFlag?: string;
}

/** CPU-bound TypeScript: runs in a worker thread, which can be killed and has a memory limit. */
export interface ThreadTask<P extends z.ZodType, R extends z.ZodType> extends TaskBase<P, R> {
  readonly runner: 'thread';
  readonly resources?: {
    /** Most threads that one job has a use for: {@link TaskContext.threads}. Default 1. */
    readonly threads: number;
  };
  run(parameters: z.output<P>, context: TaskContext): z.input<R> | Promise<z.input<R>>;
}

/** I/O-bound work: runs on the service's event loop, with Nest providers handed to `run`. */
export interface InlineTask<
  P extends z.ZodType,
  R extends z.ZodType,
  D extends readonly unknown[],
> extends TaskBase<P, R> {
  readonly runner: 'inline';
  /**
   * Nest providers, by class, in the order in which `run` takes them after the context: those of the
   * application, or injectable classes of the task's own, of which one instance is made.
   */
  readonly inject?: InjectionTokens<D>;
  run(
    parameters: z.output<P>,
    context: TaskContext,
    ...dependencies: D
  ): z.input<R> | Promise<z.input<R>>;
}

/** A command in any language, described by a manifest: runs as a process of its own. */
export interface ProcessTask extends TaskBase<JsonSchema, JsonSchema> {
  readonly runner: 'process';
  readonly process: ProcessCommand;
}

/** A task in TypeScript, of any parameters and results. */
export type CodeTask =
  | ThreadTask<z.ZodType, z.ZodType>
  | InlineTask<z.ZodType, z.ZodType, readonly unknown[]>;

/** A task of any kind, as the catalogue and the runners handle it. */
export type Task = CodeTask | ProcessTask;

/**
 * Defines a task. A file named `<name>.task.ts` under `src/tasks/` whose default export is the
 * value of this call is found at start: nothing else has to be registered.
 */
export function defineTask<P extends z.ZodType, R extends z.ZodType>(
  task: ThreadTask<P, R>,
): ThreadTask<P, R>;
export function defineTask<
  P extends z.ZodType,
  R extends z.ZodType,
  const D extends readonly unknown[] = [],
>(task: InlineTask<P, R, D>): InlineTask<P, R, D>;
export function defineTask(task: CodeTask): CodeTask {
  return task;
}
