import { randomUUID } from 'node:crypto';
import {
  type ArgumentsHost,
  Catch,
  type ExceptionFilter,
  HttpException,
  Inject,
  Logger,
} from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { isDatabaseUnavailable, isSchemaUnfit } from '../database/database-errors.js';
import { CONFIG, type Config } from '../config.js';
import { AllowedMethods } from './paths/allowed-methods.js';
import { PROBLEMS, Problem, type ProblemSlug } from './problem/problem.js';
import { rightAddress } from './paths/right-address.js';

/** Turns whatever a route threw into one problem document; logs what is the service's own fault, once. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger('Problem');
  /** The path prefix under which clients see the service. */
  private readonly prefix: string;

  constructor(
    private readonly allowed: AllowedMethods,
    @Inject(CONFIG) { PUBLIC_URL }: Config,
  ) {
    this.prefix = PUBLIC_URL === undefined ? '' : new URL(PUBLIC_URL).pathname.replace(/\/$/, '');
  }

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest & { readonly user?: unknown }>();
    const problem = this.translate(error, request.id);
    sendProblem(
      http.getResponse<FastifyReply>(),
      problem.slug === 'not-found' ? this.lead(request, problem) : problem,
    );
  }

  /** Names the right address to who missed it by a slash. */
  private lead({ url, user }: { url: string; user?: unknown }, problem: Problem): Problem {
    const path = url.split('?', 1)[0] ?? '';
    const address = rightAddress(path, this.allowed, user !== undefined);
    return address === null
      ? problem
      : new Problem(
          'not-found',
          `The path has a slash too many: the address is ${this.prefix}${address}.`,
          { cause: problem },
        );
  }

  private translate(error: unknown, request: string): Problem {
    const problem = toProblem(error);
    if (problem.slug === 'internal-error') {
      this.logger.error(
        { err: error, errorId: problem.extra.errorId, request },
        'a request failed',
      );
    } else if (problem.slug === 'unavailable') {
      this.logger.warn({ err: error, request }, 'a request found the service unavailable');
    }
    return problem;
  }
}

/** Sends a problem document, with its headers. */
export function sendProblem(reply: FastifyReply, problem: Problem): void {
  void reply
    .status(problem.status)
    .headers(problem.extra.headers ?? {})
    .header('content-type', 'application/problem+json')
    .header('cache-control', 'no-store')
    .header('x-request-id', reply.request.id)
    // As bytes: to a string Fastify would add a charset, which this media type does not have.
    .send(Buffer.from(JSON.stringify(problem.body())));
}

/** The problem that a client reads for anything thrown: never its message, unless it is a Problem. */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) {
    return error;
  }
  if (isDatabaseUnavailable(error)) {
    return unavailable(
      'The database cannot be reached, or does not answer in time: try again soon.',
      error,
    );
  }
  if (isSchemaUnfit(error)) {
    return schemaUnfit(error);
  }
  const status = statusOf(error);
  const known = (Object.keys(PROBLEMS) as ProblemSlug[]).find(
    (slug) => status < 500 && PROBLEMS[slug][0] === status,
  );
  if (known !== undefined) {
    return new Problem(known, GENERIC_DETAIL[known] ?? PROBLEMS[known][1], { cause: error });
  }
  if (status === 503) {
    return unavailable('The service is shutting down: try again soon.', error);
  }
  const errorId = randomUUID();
  return new Problem(
    'internal-error',
    `The service failed; its log says why, under the id ${errorId}.`,
    { errorId, cause: error },
  );
}

/** What clients are told while the schema does not fit: the reason is for operators. */
export function schemaUnfit(cause?: unknown): Problem {
  return unavailable('The database is being upgraded or restored: try again soon.', cause);
}

function unavailable(detail: string, cause: unknown): Problem {
  return new Problem('unavailable', detail, { cause, headers: { 'retry-after': '2' } });
}

/** The HTTP status of errors that Nest (HttpException) or Fastify (statusCode) made. */
function statusOf(error: unknown): number {
  if (error instanceof HttpException) {
    return error.getStatus();
  }
  const { statusCode } = (error ?? {}) as { statusCode?: unknown };
  // 403 is what the static files of Swagger UI say to a path that leads out of their folder.
  return statusCode === 403 ? 404 : typeof statusCode === 'number' ? statusCode : 500;
}

const GENERIC_DETAIL: Partial<Record<ProblemSlug, string>> = {
  'malformed-request': 'The request could not be understood: check its path, headers and framing.',
  'not-found': 'Check the path: /docs lists every address.',
  'unsupported-media-type':
    'Send the body as JSON, with the header Content-Type: application/json.',
};
