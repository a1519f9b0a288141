import { createHash } from 'node:crypto';
import type { JobOptions } from '../../../jobs/job/job.js';
import { parseIJson } from '../../../platform/http/body/i-json.js';
import type { InvalidParam } from '../../../platform/http/problem/problem.js';
import { faultsOf } from '../../schema/task.schema.js';
import { invalid, isObject, type JudgedTask, judgedOptions, refuse } from '../execute-body.js';

/** How many jobs one batch may make. */
export const MAX_BATCH = 1_000;
/** How many wrong places one answer names. */
const MAX_NAMED = 20;
const ROOT = 'parameters';

/** A batch request that was found right. */
export interface JudgedBatch {
  /** Of each job, as JSON text. */
  readonly parameters: readonly string[];
  readonly options: JobOptions;
  readonly maxAttempts: number;
  /** SHA-256 of the body's bytes, or nothing when it was not asked for. */
  readonly digest: Buffer;
}

/**
 * Judges the body of a batch, `{"parameters": [{…}, …], "options": {…}}`, from bytes to parameters, in
 * whatever thread it is called: each by the task's own schema.
 * @param digested whether the digest is wanted
 * @throws Problem as `parseIJson`, and `invalid-parameters` with the places that are wrong, each with the index
 *   of its member
 */
export function judgedBatch(bytes: Buffer, task: JudgedTask, digested: boolean): JudgedBatch {
  const body = parseIJson(bytes);
  if (!isObject(body)) {
    throw invalid('The body must be an object like {"parameters": [{}]}.', [
      { name: '', reason: 'must be an object' },
    ]);
  }
  const { parameters } = body;
  if (!Array.isArray(parameters) || parameters.length === 0 || parameters.length > MAX_BATCH) {
    const reason = `must be an array of 1 to ${MAX_BATCH} objects`;
    throw invalid(`The member parameters ${reason}: send more in several batches.`, [
      { name: 'parameters', reason },
    ]);
  }
  refuseFaultsOf(parameters, task);
  return {
    parameters: parameters.map((one: unknown) => JSON.stringify(one)),
    ...judgedOptions(body.options, task),
    digest: digested ? createHash('sha256').update(bytes).digest() : Buffer.alloc(0),
  };
}

/** @throws Problem `invalid-parameters` that names the wrong places, each with the index of its member */
function refuseFaultsOf(parameters: readonly unknown[], task: JudgedTask): void {
  const listed: InvalidParam[] = [];
  let count = 0;
  parameters.forEach((one, index) => {
    const faults = isObject(one)
      ? faultsOf(task.parameters, one, ROOT)
      : { listed: [{ name: ROOT, reason: 'must be an object' }], more: 0 };
    if (faults !== null) {
      count += faults.more + 1;
      const named = faults.listed.slice(0, MAX_NAMED - listed.length);
      listed.push(
        ...named.map(({ name, reason }) => ({
          name: `${ROOT}[${index}]${name.slice(ROOT.length)}`,
          reason,
        })),
      );
    }
  });
  refuse(count === 0 ? null : { listed, more: count - 1 });
}
