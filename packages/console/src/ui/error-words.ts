import { ConnectionError, RequestError } from 'headframe-client';

/** A sentence for people about whatever went wrong: what happened, and what to do next. */
export function tellError(error: unknown): string {
  if (error instanceof RequestError) {
    const { problem, retryAfterSeconds } = error;
    const wait =
      error.status === 429 && retryAfterSeconds !== null
        ? ` Try again in ${retryAfterSeconds} s.`
        : '';
    return `${problem.detail ?? problem.title}${wait}`;
  }
  if (error instanceof ConnectionError) {
    return 'The service cannot be reached. Check your connection, or try again soon.';
  }
  return error instanceof Error && error.message !== ''
    ? error.message
    : 'Something unexpected happened: reload the page.';
}
