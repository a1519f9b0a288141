import { Problem, type InvalidParam } from '../platform/http/problem.js';
import type { Task } from './task.js';
import { faultsOf } from './task.schema.js';

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
  const faults = faultsOf(task.parameters, parameters, 'parameters');
  if (faults !== null) {
    const { listed, more } = faults;
    const rest = more > 0 ? ` (and ${more} more)` : '';
    throw invalid(`${listed[0]?.name}: ${listed[0]?.reason}${rest}.`, listed);
  }
  return parameters;
}

const invalid = (detail: string, invalidParams: readonly InvalidParam[]): Problem =>
  new Problem('invalid-parameters', detail, { invalidParams });

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
