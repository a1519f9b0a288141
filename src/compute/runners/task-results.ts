import type { AttemptOutcome } from '../../jobs/lease/attempt-outcome.js';
import { jobProblem } from '../../jobs/job/job-problems.js';
import { storableMessage } from './job-message.js';

/** Longest results document, in characters. */
export const MAX_RESULTS_CHARACTERS = 128 * 1024 * 1024;

/** The success that checked results make; a failure when they are no object, too large, or cannot be kept. */
export function outcomeOfResults(results: unknown): AttemptOutcome {
  const text = JSON.stringify(results);
  if (!text.startsWith('{')) {
    return refused('The task returned something else than an object.');
  }
  if (text.length > MAX_RESULTS_CHARACTERS) {
    return resultsTooLarge(MAX_RESULTS_CHARACTERS);
  }
  // U+0000 and lone surrogates: JSON can spell them, PostgreSQL cannot store them.
  if (text.includes('\\u') && /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f]..)/.test(text)) {
    return refused('The task returned text with characters that cannot be kept.');
  }
  const { message } = results as { message?: unknown };
  return {
    kind: 'succeeded',
    results: text,
    message: typeof message === 'string' ? storableMessage(message) : null,
  };
}

/** @param most characters or bytes */
export const resultsTooLarge = (most: number): AttemptOutcome => ({
  kind: 'failed',
  retryable: false,
  problem: jobProblem(
    'results-too-large',
    `The results are over the limit of ${most} characters: ask for less at once.`,
  ),
});

const refused = (detail: string): AttemptOutcome => ({
  kind: 'failed',
  retryable: false,
  problem: jobProblem('invalid-results', detail),
});
