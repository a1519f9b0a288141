import { type ProblemBody, problemType } from '../platform/http/problem/problem.js';
import { cutText } from '../platform/text/cut-text.js';

/** What a client reads in the `error` of a job that its task gave up on purpose. */
export interface TaskProblemBody {
  /** An HTTP status, 400–599: 4xx when other parameters would help, 5xx when not. */
  readonly status: number;
  /** One short sentence, the same for every occurrence; 200 characters are kept. */
  readonly title: string;
  /** What happened this time, where, and what to do next; 4,000 characters are kept. */
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

const MAX_TITLE = 200;
const MAX_DETAIL = 4_000;

/** The problem as it is kept: its texts cut, and without what the database cannot hold. */
export function keptProblem({ status, title, detail, slug }: TaskProblemBody): ProblemBody {
  const kept = (text: string, most: number): string =>
    cutText(text.replaceAll('\u0000', ''), most).toWellFormed();
  return {
    status,
    type: problemType(slug ?? 'task-failed'),
    title: kept(title, MAX_TITLE),
    detail: kept(detail, MAX_DETAIL),
  };
}
