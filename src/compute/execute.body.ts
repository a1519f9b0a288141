import { Problem, type InvalidParam } from '../platform/http/problem.js';
import { invalidParamsOf } from './invalid-params.js';
import type { Task } from './task.js';

/**
 * Checks the body of an execute request: `{"parameters": {…}}`, the parameters by the task's own
 * schema. Other members of the body are ignored.
 * @returns the parameters as they were sent: defaults are filled in when the task runs
 * @throws Problem `invalid-parameters` with every place that is wrong
 */
export function executeBody(body: unknown, task: Task): Readonly<Record<string, unknown>> {
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
  const checked = task.parameters.safeParse(parameters);
  if (!checked.success) {
    const faults = invalidParamsOf(checked.error, 'parameters');
    const more =
      checked.error.issues.length > 1 ? ` (and ${checked.error.issues.length - 1} more)` : '';
    throw invalid(`${faults[0]?.name}: ${faults[0]?.reason}${more}.`, faults);
  }
  return parameters;
}

const invalid = (detail: string, invalidParams: readonly InvalidParam[]): Problem =>
  new Problem('invalid-parameters', detail, { invalidParams });

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
