import type { Job } from './job.js';
import type { Problem } from './wire-types.js';

/** What everything that this client throws has in common, but for `TypeError` and the reason of a signal. */
export class HeadframeError extends Error {
  override readonly name: string = 'HeadframeError';
}

/** The service, or a proxy before it, refused a request. */
export class RequestError extends HeadframeError {
  override readonly name = 'RequestError';

  constructor(
    /** The HTTP status code. */
    readonly status: number,
    /** What was sent, or of `type` `about:blank` when that was no problem document. */
    readonly problem: Problem,
    /** By which the operator finds the request in the log. */
    readonly requestId: string | null,
    /** Seconds that the answer asked to wait; null when it did not. */
    readonly retryAfterSeconds: number | null,
  ) {
    super(tellProblem(problem));
  }

  /** The short name of the problem, such as `not-found`: the end of its `type`. */
  get slug(): string {
    return this.problem.type.split(/[/:]/).at(-1) ?? '';
  }
}

/** No whole answer came: the service was out of reach, the connection broke, or it took too long. */
export class ConnectionError extends HeadframeError {
  override readonly name = 'ConnectionError';
}

/** An answer that is none of the Task API: perhaps the address is that of something else. */
export class UnexpectedAnswerError extends HeadframeError {
  override readonly name = 'UnexpectedAnswerError';
}

/** There are no results of this job. */
export abstract class JobError extends HeadframeError {
  constructor(
    readonly job: Job,
    message: string,
  ) {
    super(`${job.task} ${job.id} ${message}`);
  }
}

/** The job failed; `problem` says why. */
export class JobFailedError extends JobError {
  override readonly name = 'JobFailedError';

  constructor(
    job: Job,
    readonly problem: Problem,
  ) {
    super(job, `failed: ${tellProblem(problem)}`);
  }
}

/** The job was canceled, by whomever. */
export class JobCanceledError extends JobError {
  override readonly name = 'JobCanceledError';

  constructor(
    job: Job,
    readonly problem: Problem,
  ) {
    super(job, `was canceled: ${tellProblem(problem)}`);
  }
}

/** The job has not ended yet: wait for it first. */
export class JobOngoingError extends JobError {
  override readonly name = 'JobOngoingError';

  constructor(
    job: Job,
    /** Its state. */
    readonly status: string,
  ) {
    super(job, `has not ended yet: ${status}.`);
  }
}

/** One line for people about a problem: code, title, detail, and what is wrong where. */
function tellProblem(problem: Problem): string {
  const faults = (problem['invalid-params'] ?? []).map(({ name, reason }) => `${name}: ${reason}`);
  return [`${problem.status}`, problem.title, problem.detail, faults.join('; ')]
    .filter((part) => part !== undefined && part !== '')
    .join(' ');
}
