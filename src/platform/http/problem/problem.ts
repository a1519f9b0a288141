import type { BodyOf } from '../openapi/body.js';
import type { PROBLEM } from './problem.schema.js';

/**
 * Every problem the service answers with, by the last part of its type URI. The table in
 * docs/errors.md is checked against this one.
 */
export const PROBLEMS = {
  'malformed-request': [400, 'The request is malformed.'],
  'preview-api': [400, 'Preview API.'],
  unauthorized: [401, 'Authentication is required.'],
  forbidden: [403, 'The token does not allow this.'],
  'not-found': [404, 'There is nothing at this address.'],
  'method-not-allowed': [405, 'The method is not allowed at this address.'],
  'not-acceptable': [406, 'The answer is JSON, which the request does not accept.'],
  'request-timeout': [408, 'The request took too long to arrive.'],
  conflict: [409, 'The request conflicts with another one.'],
  'job-canceled': [409, 'The job was canceled.'],
  'payload-too-large': [413, 'The request body is too large.'],
  'unsupported-media-type': [415, 'The request body must be JSON.'],
  'expectation-failed': [417, 'The expectation cannot be met.'],
  'invalid-parameters': [422, 'The parameters are not valid.'],
  'too-many-requests': [429, 'There are too many requests.'],
  'header-fields-too-large': [431, 'The request headers are too large.'],
  'internal-error': [500, 'The service failed.'],
  'task-failed': [500, 'The task failed.'],
  'invalid-results': [500, 'The task returned results that its schema refuses.'],
  'results-too-large': [500, 'The results of the task are too large.'],
  'output-too-large': [500, 'The task wrote more than it may.'],
  'out-of-memory': [500, 'The task needed more memory than it may use.'],
  'worker-lost': [500, 'The workers that ran the job were lost.'],
  'not-implemented': [501, 'The method is not implemented.'],
  unavailable: [503, 'The service is not available at the moment.'],
  'job-expired': [504, 'The job was not started in time.'],
  'task-timeout': [504, 'The task ran for too long.'],
} as const satisfies Record<string, readonly [status: number, title: string]>;

export type ProblemSlug = keyof typeof PROBLEMS;

/** One member of `invalid-params`: where the fault lies (`parameters.variogram.nugget`), and what it is. */
export type InvalidParam = NonNullable<ProblemBody['invalid-params']>[number];

/** Problem details (RFC 9457), as sent and as kept in a job's `error`. */
export type ProblemBody = BodyOf<typeof PROBLEM>;

/** The type URI of a slug: stable, and independent of the host that a service runs on. */
export function problemType(slug: string): string {
  return `urn:headframe:problem/${slug}`;
}

/** A refusal or failure that a client reads. Thrown where it is known, translated once, in the filter. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly status: number;

  /**
   * @param detail what happened, where, and what to do next; never a value the client sent,
   *   SQL, a stack or a path
   */
  constructor(
    readonly slug: ProblemSlug,
    readonly detail: string,
    readonly extra: {
      readonly headers?: Readonly<Record<string, string>>;
      readonly invalidParams?: readonly InvalidParam[];
      readonly errorId?: string;
      readonly cause?: unknown;
    } = {},
  ) {
    super(`${slug}: ${detail}`, { cause: extra.cause });
    this.status = PROBLEMS[slug][0];
  }

  body(): ProblemBody {
    const { invalidParams, errorId } = this.extra;
    return {
      status: this.status,
      type: problemType(this.slug),
      title: PROBLEMS[this.slug][1],
      detail: this.detail,
      ...(invalidParams && { 'invalid-params': invalidParams }),
      ...(errorId && { 'error-id': errorId }),
    };
  }
}
