import type { z } from 'zod';
import { type JobOptions, NO_OPTIONS } from '../jobs/job.store.js';
import { Problem, type InvalidParam } from '../platform/http/problem.js';
import { EXECUTE_OPTIONS, jobOptions } from './execute.options.js';
import { invalidParamsOf } from './invalid-params.js';
import type { Task } from './task.js';

/** What an execute request asks for. */
export interface ExecuteRequest {
  /** As they were sent: defaults are filled in when the task runs. */
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly options: JobOptions;
  readonly maxAttempts: number;
}

/**
 * Checks the body of an execute request: `{"parameters": {…}, "options": {…}}`, the parameters by the
 * task's own schema. Other members of the body are ignored.
 * @throws Problem `invalid-parameters` with every place that is wrong
 */
export function executeBody(body: unknown, task: Task): ExecuteRequest {
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
  check(task.parameters, parameters, 'parameters');
  const most = task.maxAttempts ?? 1;
  if (body.options === undefined) {
    return { parameters, options: NO_OPTIONS, maxAttempts: most };
  }
  const options = check(EXECUTE_OPTIONS, body.options, 'options');
  return {
    parameters,
    options: jobOptions(options),
    maxAttempts: Math.min(most, options.max_attempts ?? most),
  };
}

function check<S extends z.ZodType>(schema: S, value: unknown, root: string): z.output<S> {
  const checked = schema.safeParse(value);
  if (checked.success) {
    return checked.data;
  }
  const faults = invalidParamsOf(checked.error, root);
  const more =
    checked.error.issues.length > 1 ? ` (and ${checked.error.issues.length - 1} more)` : '';
  throw invalid(`${faults[0]?.name}: ${faults[0]?.reason}${more}.`, faults);
}

const invalid = (detail: string, invalidParams: readonly InvalidParam[]): Problem =>
  new Problem('invalid-parameters', detail, { invalidParams });

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
