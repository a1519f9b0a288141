import { jobProblem } from '../jobs/job.problems.js';
import { invalidParamsOf } from './invalid-params.js';
import { problemType } from '../platform/http/problem.js';
import type { TaskOutcome } from './attempt.js';
import type { Task, TaskContext } from './task.js';
import { RetryLater } from './retry-later.js';
import { TaskProblem } from './task.problem.js';

/** Longest results document, in characters. */
export const MAX_RESULTS_CHARACTERS = 128 * 1024 * 1024;

/**
 * Runs a task's code from JSON parameters to checked JSON results, in whatever thread it is called.
 * Never rejects.
 */
export async function executeTask(
  task: Task,
  parameters: string,
  context: TaskContext,
  dependencies: readonly unknown[] = [],
): Promise<TaskOutcome> {
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
  return serialize(checked.data);
}

function serialize(results: unknown): TaskOutcome {
  const text = JSON.stringify(results);
  if (!text.startsWith('{')) {
    return failed(
      jobProblem('invalid-results', 'The task returned something else than an object.'),
    );
  }
  if (text.length > MAX_RESULTS_CHARACTERS) {
    return failed(
      jobProblem(
        'results-too-large',
        `The results are over the limit of ${MAX_RESULTS_CHARACTERS} characters: ask for less at once.`,
      ),
    );
  }
  // U+0000 and lone surrogates: JSON can spell them, nobody can keep them.
  if (/(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f]..)/.test(text)) {
    return failed(
      jobProblem('invalid-results', 'The task returned text with characters that cannot be kept.'),
    );
  }
  const { message } = results as { message?: unknown };
  return {
    kind: 'succeeded',
    results: text,
    message: typeof message === 'string' ? message : null,
  };
}

/** A typed problem is the task's own answer; anything else is a defect that the log explains. */
function failureOf(error: unknown): TaskOutcome {
  if (error instanceof RetryLater) {
    return { kind: 'postponed', afterSeconds: error.afterSeconds };
  }
  if (error instanceof TaskProblem) {
    const { status, title, detail, slug = 'task-failed' } = error.problem;
    return failed({ status, type: problemType(slug), title, detail });
  }
  return failed(
    jobProblem('task-failed', 'The task failed unexpectedly: the log of the worker says why.'),
    true,
    error instanceof Error ? (error.stack ?? error.message) : String(error),
  );
}

function failed(
  problem: Extract<TaskOutcome, { kind: 'failed' }>['problem'],
  retryable = false,
  stack?: string,
): TaskOutcome {
  return { kind: 'failed', problem, retryable, ...(stack !== undefined && { stack }) };
}
