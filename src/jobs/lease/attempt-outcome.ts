import type { ProblemBody } from '../../platform/http/problem/problem.js';

/** How long a failed job waits for its next attempt: a random part of `first` × 2ⁿ, at most `longest`. */
export interface Backoff {
  readonly firstSeconds: number;
  readonly longestSeconds: number;
}

/** What an attempt came to: the one form of it from the code of a task to the statement that stores it. */
export type AttemptOutcome =
  | {
      readonly kind: 'succeeded';
      /** A JSON object, as text. */
      readonly results: string;
      readonly message: string | null;
    }
  /** The task wants to be run again, not before this many seconds have passed. */
  | { readonly kind: 'postponed'; readonly afterSeconds: number }
  | {
      readonly kind: 'failed';
      readonly problem: ProblemBody;
      /** Whether another attempt may help; the job's own limit decides whether it gets one. */
      readonly retryable: boolean;
      readonly backoff?: Backoff;
      /** For the log only. */
      readonly stack?: string;
    }
  /** A runner's word: the signal aborted, and the work has really ended. Why it aborted decides what is stored. */
  | { readonly kind: 'stopped' }
  | { readonly kind: 'canceled' }
  /** Handed back: the worker shuts down, could not renew its lease, or has no slot for it. */
  | { readonly kind: 'released' };

/** An outcome that can be stored. */
export type FinalOutcome = Exclude<AttemptOutcome, { readonly kind: 'stopped' }>;
