import { createHash } from 'node:crypto';
import type { JobOptions } from '../jobs/job.store.js';
import { parseIJson } from '../platform/http/i-json.js';
import { Problem } from '../platform/http/problem.js';
import { executeBody, type JudgedTask } from './execute.body.js';

/** An execute request that was found right, ready to be stored. */
export interface RightBody<Text = string> {
  readonly kind: 'right';
  /** As JSON text. */
  readonly parameters: Text;
  readonly options: JobOptions;
  readonly maxAttempts: number;
  /** SHA-256 of the body's bytes, or nothing when it was not asked for. */
  readonly digest: Buffer;
}

/** One that is to be refused; whoever sent it before, when it was right, is known by the digest. */
export interface WrongBody {
  readonly kind: 'wrong';
  readonly problem: Problem;
  readonly digest: Buffer;
}

/**
 * Judges a body from bytes to parameters, in whatever thread it is called.
 * @param digested whether the digest is wanted
 */
export function judgedBody(
  bytes: Buffer,
  task: JudgedTask,
  digested: boolean,
): RightBody | WrongBody {
  const digest = digested ? createHash('sha256').update(bytes).digest() : Buffer.alloc(0);
  try {
    const { parameters, options, maxAttempts } = executeBody(parseIJson(bytes), task);
    return {
      kind: 'right',
      parameters: JSON.stringify(parameters),
      options,
      maxAttempts,
      digest,
    };
  } catch (error) {
    if (error instanceof Problem) {
      return { kind: 'wrong', problem: error, digest };
    }
    throw error;
  }
}
