import { createHash } from 'node:crypto';
import { type JobOptions, NO_OPTIONS } from '../../jobs/job/job.js';
import { Problem, type InvalidParam } from '../../platform/http/problem/problem.js';
import { EXECUTE_OPTIONS, jobOptions } from './execute-options.js';
import type { Task } from '../task.js';
import { type Faults, faultsOf, zodFaults } from '../schema/task.schema.js';
import { parseIJson } from '../../platform/http/body/i-json.js';

/** What an execute request asks for. */
export interface ExecuteRequest {
  /** As they were sent: defaults are filled in when the task runs. */
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly options: JobOptions;
  readonly maxAttempts: number;
}

/** What a body is judged by. */
export type JudgedTask = Pick<Task, 'parameters' | 'maxAttempts'>;

/** An execute request that was found right. */
export interface JudgedBody {
  /** As JSON text. */
  readonly parameters: string;
  readonly options: JobOptions;
  readonly maxAttempts: number;
  /** SHA-256 of the body's bytes, or nothing when it was not asked for. */
  readonly digest: Buffer;
}

/**
 * Judges a body from bytes to parameters, in whatever thread it is called.
 * @param digested whether the digest is wanted
 * @throws Problem as `parseIJson` and `executeBody`
 */
export function judgedBody(bytes: Buffer, task: JudgedTask, digested: boolean): JudgedBody {
  const { parameters, options, maxAttempts } = executeBody(parseIJson(bytes), task);
  return {
    parameters: JSON.stringify(parameters),
    options,
    maxAttempts,
    digest: digested ? createHash('sha256').update(bytes).digest() : Buffer.alloc(0),
  };
}

/**
 * Checks the body of an execute request: `{"parameters": {…}, "options": {…}}`, the parameters by the
 * task's own schema; `options` may be null, and so may each of them. Other members of the body are ignored.
 * @throws Problem `invalid-parameters` with every place that is wrong
 */
export function executeBody(body: unknown, task: JudgedTask): ExecuteRequest {
  if (!isObject(body)) {
    throw invalid('The body must be an object like {"parameters": {}}.', [
      { name: '', reason: 'must be an object' },
    ]);
  }
  const { parameters } = body;
  if (!isObject(parameters)) {
    throw invalid('The body needs the member parameters, an object; it may be empty.', [
      {
        name: 'parameters',
        reason: parameters === undefined ? 'is required' : 'must be an object',
      },
    ]);
  }
  refuse(faultsOf(task.parameters, parameters, 'parameters'));
  return { parameters, ...judgedOptions(body.options, task) };
}

/** @throws Problem `invalid-parameters` */
export function judgedOptions(
  sent: unknown,
  task: Pick<JudgedTask, 'maxAttempts'>,
): Omit<ExecuteRequest, 'parameters'> {
  const most = task.maxAttempts ?? 1;
  if (sent === undefined || sent === null) {
    return { options: NO_OPTIONS, maxAttempts: most };
  }
  const { data: options, error } = EXECUTE_OPTIONS.safeParse(sent);
  if (options === undefined) {
    return refuse(zodFaults(error, 'options'));
  }
  return {
    options: jobOptions(options),
    maxAttempts: Math.min(most, options.max_attempts ?? most),
  };
}

/** @throws Problem `invalid-parameters` when there are faults */
export function refuse(faults: Faults): never;
export function refuse(faults: Faults | null): void;
export function refuse(faults: Faults | null): void {
  if (faults !== null) {
    const { listed, more } = faults;
    const rest = more > 0 ? ` (and ${more} more)` : '';
    throw invalid(`${listed[0]?.name}: ${listed[0]?.reason}${rest}.`, listed);
  }
}

export const invalid = (detail: string, invalidParams: readonly InvalidParam[]): Problem =>
  new Problem('invalid-parameters', detail, { invalidParams });

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
