/** What a client reads in the `error` of a job that its task gave up on purpose. */
export interface TaskProblemBody {
  /** An HTTP status, 400–599: 4xx when other parameters would help, 5xx when not. */
  readonly status: number;
  /** One short sentence, the same for every occurrence. */
  readonly title: string;
  /** What happened this time, where, and what to do next. */
  readonly detail: string;
  /** Last part of the problem's type URI, kebab-case. Default `task-failed`. */
  readonly slug?: string;
}

/**
 * Throw this from a task's `run` to fail the job with a problem of your own; it is not retried.
 * @throws RangeError for a status that is no error, or a slug that is not kebab-case
 */
export class TaskProblem extends Error {
  override readonly name = 'TaskProblem';

  constructor(readonly problem: TaskProblemBody) {
    super(`${problem.title} ${problem.detail}`);
    const { status, slug = 'task-failed' } = problem;
    if (!Number.isInteger(status) || status < 400 || status > 599) {
      throw new RangeError(`A problem's status must be 400 to 599, not ${status}.`);
    }
    if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(slug)) {
      throw new RangeError(`A problem's slug must be like no-ore, not ${slug}.`);
    }
  }
}
