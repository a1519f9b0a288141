import { applyDecorators } from '@nestjs/common';
import { ApiResponse } from '@nestjs/swagger';
import { referenceTo } from '../openapi/components.js';
import type { SchemaObject } from '../openapi/openapi-types.js';
import { Problem, PROBLEMS, type ProblemSlug } from './problem.js';
import { PROBLEM } from './problem.schema.js';

const HEADERS: Partial<
  Record<number, Record<string, { description: string; schema: SchemaObject }>>
> = {
  401: {
    'WWW-Authenticate': { description: 'RFC 6750.', schema: { type: 'string' } },
  },
  405: { Allow: { description: 'Methods that the path answers.', schema: { type: 'string' } } },
  429: { 'Retry-After': { description: 'Seconds to wait.', schema: { type: 'integer' } } },
  503: { 'Retry-After': { description: 'Seconds to wait.', schema: { type: 'integer' } } },
};

/** Declares that a route may answer with these problems. */
export function ApiProblems(...slugs: ProblemSlug[]): MethodDecorator {
  const byStatus = new Map<number, ProblemSlug[]>();
  for (const slug of slugs) {
    const [status] = PROBLEMS[slug];
    byStatus.set(status, [...(byStatus.get(status) ?? []), slug]);
  }
  return applyDecorators(
    ...[...byStatus].map(([status, same]) =>
      ApiResponse({
        status,
        description: same.map((slug) => `\`${slug}\`: ${PROBLEMS[slug][1]}`).join(' '),
        ...(HEADERS[status] && { headers: HEADERS[status] }),
        content: {
          'application/problem+json': {
            schema: referenceTo(PROBLEM),
            examples: Object.fromEntries(
              same.map((slug) => [slug, { value: new Problem(slug, PROBLEMS[slug][1]).body() }]),
            ),
          },
        },
      }),
    ),
  );
}
