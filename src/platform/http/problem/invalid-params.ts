import type { z } from 'zod';
import { placeOf } from '../body/i-json.js';
import type { InvalidParam } from './problem.js';

/** Enough to correct a request by; a body of a million wrong numbers must not answer with a million. */
const MOST = 20;

/**
 * The faults that a schema found, by place, without any value that was sent.
 * @param root what the checked value is called: `parameters`
 */
export function invalidParamsOf(error: z.ZodError, root: string): InvalidParam[] {
  return error.issues
    .slice(0, MOST)
    .flatMap(flatten)
    .slice(0, MOST)
    .map(({ path, message }) => ({
      name: placeOf(
        [root, ...path].map((part) => (typeof part === 'number' ? part : String(part))),
      ),
      reason: message,
    }));
}

interface Fault {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** Unknown members are named one by one; of a union, the branch that came closest speaks. */
function flatten(issue: z.core.$ZodIssue): Fault[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      path: [...issue.path, key],
      message: 'is not a known member',
    }));
  }
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    const depth = (issues: readonly z.core.$ZodIssue[]) =>
      issues.reduce((deepest, { path }) => Math.max(deepest, path.length), 0);
    const closest = issue.errors.reduce((best, issues) =>
      depth(issues) > depth(best) ? issues : best,
    );
    if (depth(closest) > 0) {
      return closest
        .slice(0, MOST)
        .flatMap(flatten)
        .map(({ path, message }) => ({ path: [...issue.path, ...path], message }));
    }
  }
  if (issue.code === 'invalid_key') {
    return issue.issues.flatMap(flatten).map(({ message }) => ({ path: issue.path, message }));
  }
  // zod tells a missing member as one of the type undefined.
  const missing = issue.code === 'invalid_type' && issue.message.endsWith('received undefined');
  return [{ path: issue.path, message: missing ? 'is required' : issue.message }];
}
