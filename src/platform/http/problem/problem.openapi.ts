import { applyDecorators } from '@nestjs/common';
import { ApiResponse } from '@nestjs/swagger';
import type { SchemaObject } from './openapi-types.js';
import { Problem, PROBLEMS, problemType, type ProblemSlug } from './problem.js';

/** Schemas that problem responses refer to. */
export const PROBLEM_SCHEMAS: Record<string, SchemaObject> = {
  Problem: {
    type: 'object',
    description: 'Problem details (RFC 9457). docs/errors.md explains each type.',
    required: ['status', 'type', 'title'],
    properties: {
      status: { type: 'integer', minimum: 400, maximum: 599 },
      type: { type: 'string', format: 'uri', examples: [problemType('not-found')] },
      title: { type: 'string', description: 'The same for every occurrence.' },
      detail: { type: 'string', description: 'What happened this time, and what to do next.' },
      'invalid-params': {
        type: 'array',
        description: 'What is wrong with the request, place by place.',
        items: {
          type: 'object',
          required: ['name', 'reason'],
          properties: {
            name: { type: 'string', examples: ['parameters.variogram.nugget'] },
            reason: { type: 'string' },
          },
        },
      },
      'error-id': { type: 'string', description: 'Where the log explains an internal error.' },
    },
  },
};

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
            schema: { $ref: '#/components/schemas/Problem' },
            examples: Object.fromEntries(
              same.map((slug) => [slug, { value: new Problem(slug, PROBLEMS[slug][1]).body() }]),
            ),
          },
        },
      }),
    ),
  );
}
