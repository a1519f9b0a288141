import { createHash } from 'node:crypto';
import { parseIJson } from '../../platform/http/body/i-json.js';
import type { JobOptions } from '../../jobs/job/job.js';
import { executeBody, type JudgedTask } from './execute-body.js';

/** An execute request that was found right. */
export interface JudgedBody {
  /** As JSON text. */
  readonly parameters: string;
  readonly options: JobOptions;
  readonly maxAttempts: number;
  /** SHA-256 of the body's bytes, or nothing when it was not asked for. */
  readonly digest: Buffer;
}

/**
 * Judges a body from bytes to parameters, in whatever thread it is called.
 * @param digested whether the digest is wanted
 * @throws Problem as `parseIJson` and `executeBody`
 */
export function judgedBody(bytes: Buffer, task: JudgedTask, digested: boolean): JudgedBody {
  const { parameters, options, maxAttempts } = executeBody(parseIJson(bytes), task);
  return {
    parameters: JSON.stringify(parameters),
    options,
    maxAttempts,
    digest: digested ? createHash('sha256').update(bytes).digest() : Buffer.alloc(0),
  };
}
