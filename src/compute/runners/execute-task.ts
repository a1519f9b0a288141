import type { AttemptOutcome } from '../../jobs/lease/attempt-outcome.js';
import { jobProblem } from '../../jobs/job/job-problems.js';
import { invalidParamsOf } from '../../platform/http/problem/invalid-params.js';
import type { CodeTask, TaskContext } from '../task.js';
import { RetryLater } from '../retry-later.js';
import { keptProblem, TaskProblem } from '../task.problem.js';
import { outcomeOfResults } from './task-results.js';

/**
 * Runs a task's code from JSON parameters to checked JSON results, in whatever thread it is called.
 * Never rejects.
 */
export async function executeTask(
  task: CodeTask,
  parameters: string,
  context: TaskContext,
  dependencies: readonly unknown[] = [],
): Promise<AttemptOutcome> {
  const parsed = task.parameters.safeParse(JSON.parse(parameters));
  if (!parsed.success) {
    // They were checked when the job was submitted: the task's schema has changed since.
    const problem = jobProblem(
      'invalid-parameters',
      `The task, in version ${task.version}, does not accept the parameters of this job: submit it again.`,
    );
    return failed({ ...problem, 'invalid-params': invalidParamsOf(parsed.error, 'parameters') });
  }
  let results: unknown;
  try {
    results = await task.run(parsed.data, context, ...(dependencies as []));
  } catch (error) {
    return context.signal.aborted ? { kind: 'stopped' } : failureOf(error);
  }
  const checked = task.results.safeParse(results);
  if (!checked.success) {
    return failed(
      jobProblem('invalid-results', 'The task returned results that its own schema refuses.'),
      false,
      checked.error.message,
    );
  }
  return outcomeOfResults(checked.data);
}

/** A typed problem is the task's own answer; anything else is a defect that the log explains. */
function failureOf(error: unknown): AttemptOutcome {
  if (error instanceof RetryLater) {
    return { kind: 'postponed', afterSeconds: error.afterSeconds };
  }
  if (error instanceof TaskProblem) {
    return failed(keptProblem(error.problem));
  }
  return failed(
    jobProblem('task-failed', 'The task failed unexpectedly: the log of the worker says why.'),
    true,
    error instanceof Error ? (error.stack ?? error.message) : String(error),
  );
}

function failed(
  problem: Extract<AttemptOutcome, { kind: 'failed' }>['problem'],
  retryable = false,
  stack?: string,
): AttemptOutcome {
  return { kind: 'failed', problem, retryable, ...(stack !== undefined && { stack }) };
}
