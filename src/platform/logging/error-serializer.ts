import { cutText } from '../text/cut-text.js';

/** Longest message or stack of one error in the log, in characters. */
const LONGEST = 8_192;
/** How many causes of an error are logged. */
const MAX_CAUSES = 5;

/** An error as the log has it. */
export interface LoggedError {
  readonly type: string;
  readonly message: string;
  readonly code?: string;
  readonly table?: string;
  readonly constraint?: string;
  readonly stack?: string;
  readonly cause?: LoggedError;
}

/**
 * What the log tells of an error: named members alone, since errors of the database carry whole rows,
 * parameters of jobs among them, in their `detail` and `where`; and their message repeats a value when
 * it is the value that was refused (SQLSTATE class 22).
 */
export function describeError(error: unknown, depth = 0): LoggedError {
  if (typeof error !== 'object' || error === null) {
    return { type: typeof error, message: cutText(String(error), LONGEST) };
  }
  const { name, message, code, table, constraint, stack, cause } = error as Record<string, unknown>;
  const repeatsValue = typeof code === 'string' && /^22[0-9A-Z]{3}$/.test(code);
  return {
    type: text(name) ?? 'Error',
    message: repeatsValue ? 'the database refused a value' : (text(message) ?? ''),
    ...members({ code, table, constraint }),
    ...(typeof stack === 'string' && {
      stack: cutText(repeatsValue ? framesOf(stack) : stack, LONGEST),
    }),
    ...(cause !== undefined && depth < MAX_CAUSES && { cause: describeError(cause, depth + 1) }),
  };
}

const text = (value: unknown): string | undefined =>
  typeof value === 'string' ? cutText(value, LONGEST) : undefined;

const members = (given: Record<string, unknown>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(given).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string',
    ),
  );

/** A stack begins with the message, which may have several lines. */
const framesOf = (stack: string): string =>
  stack
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .join('\n');
