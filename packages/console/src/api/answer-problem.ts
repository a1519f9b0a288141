import { type Problem, RequestError } from 'headframe-client';

/** What a refused request is to the pages, whether or not the answer is a problem document. */
export function refusalOf(response: Response, body: unknown): RequestError {
  const seconds = Number(response.headers.get('retry-after'));
  const problem =
    typeof body === 'object' && body !== null && 'title' in body
      ? (body as Problem)
      : {
          status: response.status,
          type: 'about:blank',
          title: 'The service refused.',
          detail: `The service answered ${response.status}: try again soon.`,
        };
  return new RequestError(
    response.status,
    problem,
    response.headers.get('x-request-id'),
    seconds > 0 ? seconds : null,
  );
}
