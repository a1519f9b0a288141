import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { ReplacedOptions } from '../../../jobs/submit/rerun.store.js';
import { parseIJson } from '../../../platform/http/body/i-json.js';
import type { CatalogueEntry } from '../../catalogue/task-catalogue.js';
import { BodyJudge } from '../body-judge.js';
import { invalid, isObject, judgedOptions } from '../execute-body.js';

/** What is to be different when a job is run again. */
export interface JudgedRerun {
  /** As JSON text; null: the same. */
  readonly parameters: string | Buffer | null;
  /** Null: the same. */
  readonly replaced: ReplacedOptions | null;
}

/** A larger body has parameters, or is none. */
const MAX_WITHOUT_PARAMETERS = 64 * 1024;

/** Judges the bodies of requests to run a job again: `parameters` and `options`, each if it is to be another. */
@Injectable()
export class RerunBodies {
  constructor(private readonly judge: BodyJudge) {}

  /**
   * @param bytes null: there is no body
   * @throws Problem as of an execute request
   */
  async judged(bytes: Buffer<ArrayBuffer> | null, entry: CatalogueEntry): Promise<JudgedRerun> {
    if (bytes === null) {
      return { parameters: null, replaced: null };
    }
    let sent: Readonly<Record<string, unknown>> | null = null;
    if (bytes.length <= MAX_WITHOUT_PARAMETERS) {
      const body = parseIJson(bytes);
      if (!isObject(body)) {
        throw invalid('The body must be an object like {"parameters": {}}, or absent.', [
          { name: '', reason: 'must be an object' },
        ]);
      }
      sent = body;
    }
    const hasOptions = sent === null || (sent.options ?? null) !== null;
    if (sent !== null && sent.parameters === undefined) {
      return {
        parameters: null,
        replaced: hasOptions ? judgedOptions(sent.options, entry.task) : null,
      };
    }
    const { parameters, options, maxAttempts } = await this.judge.judge(bytes, entry, false);
    return { parameters, replaced: hasOptions ? { options, maxAttempts } : null };
  }
}

/** SHA-256 of what a request asks for: the job, and the bytes of the body. */
export const rerunDigest = (jobId: string, bytes: Buffer | null): Buffer =>
  createHash('sha256')
    .update(`rerun ${jobId} `)
    .update(bytes ?? '')
    .digest();
