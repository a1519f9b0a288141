import { z } from 'zod';
import { Problem } from '../problem/problem.js';

/**
 * The query of a request, judged by its schema.
 * @param most how many wrong parameters are named in `invalid-params`, the first of them in the detail, too
 * @throws Problem `malformed-request`
 */
export function parseQuery<Schema extends z.ZodObject>(
  schema: Schema,
  query: Readonly<Record<string, unknown>>,
  most = 1,
): z.output<Schema> {
  const parsed = schema.safeParse(query);
  if (!parsed.success) {
    const wrong = parsed.error.issues.flatMap((issue) =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((name) => ({ name, reason: 'is not known here' }))
        : [{ name: String(issue.path[0]), reason: issue.message }],
    );
    throw wrongParameters(wrong.slice(0, most));
  }
  return parsed.data;
}

/** Refuses a parameter that no schema can judge: a cursor of another list. */
export const wrongParameter = (name: string, reason: string): Problem =>
  wrongParameters([{ name, reason }]);

function wrongParameters(wrong: readonly { name: string; reason: string }[]): Problem {
  const [first] = wrong;
  return new Problem(
    'malformed-request',
    `The query parameter ${first?.name} is wrong: ${first?.reason}.`,
    { invalidParams: wrong },
  );
}

/** A whole number from min to max, as a query spells it. */
export function wholeNumber(min: number, max: number) {
  const error = `must be a whole number from ${min} to ${max}`;
  return z
    .string({ error })
    .regex(/^\d{1,9}$/, error)
    .transform(Number)
    .pipe(z.number().min(min, error).max(max, error));
}

/** How many entries a page may have, 1 to max, spelled without leading zeros: links repeat it. */
export function pageLimit(max: number) {
  const error = `must be a whole number from 1 to ${max}`;
  return z
    .string({ error: 'must be given once' })
    .regex(/^[1-9]\d{0,8}$/, error)
    .transform(Number)
    .pipe(z.number().max(max, error));
}
