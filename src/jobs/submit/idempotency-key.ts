import { Problem } from '../../platform/http/problem/problem.js';

/** A client's promise that requests with this key are one and the same. */
export interface IdempotencyKey {
  /** SHA-256 of the key. */
  readonly digest: Buffer;
  /** SHA-256 of the body: the same key with another body is a mistake. */
  readonly bodyDigest: Buffer;
}

/** What an idempotency key stands for already. */
export interface KeyedJob {
  readonly jobId: string;
  /** Whether the body was the same. */
  readonly same: boolean;
}

/** How long a request waits for another with the same key. */
export const KEY_IN_USE_MS = 2_000;

/** PostgreSQL's code for a lock that was waited for too long. */
const LOCK_NOT_AVAILABLE = '55P03';

/** @throws Problem `conflict` for a statement that waited too long for a lock */
export function refuseKeyInUse(error: unknown): never {
  if ((error as { code?: string }).code === LOCK_NOT_AVAILABLE) {
    throw new Problem(
      'conflict',
      'Another request with this Idempotency-Key is being served: try again soon.',
      { headers: { 'retry-after': '1' } },
    );
  }
  throw error;
}

/** The refusal of a key that stands for something else. */
export const keyOfAnotherBody = (): Problem =>
  new Problem(
    'invalid-parameters',
    'The Idempotency-Key was used for another body: use a new key for a new job.',
  );
