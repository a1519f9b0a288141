import type { JobOptions } from '../../jobs/job/job.js';
import {
  type InvalidParam,
  Problem,
  type ProblemSlug,
} from '../../platform/http/problem/problem.js';
import type { JudgedTask } from './execute-body.js';
import { JsonSchema } from '../schema/json.schema.js';
import { judgedBatch } from './batch/batch-body.js';
import { judgedBody } from './execute-body.js';

/** A body to be judged, and by what. */
export interface BodyToJudge {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** File URL of the task's module, or of its manifest. */
  readonly moduleUrl: string;
  /** The JSON Schema of a manifest's parameters; null for a task in TypeScript, which is loaded. */
  readonly document: Readonly<Record<string, unknown>> | null;
  readonly maxAttempts: number | undefined;
  readonly digested: boolean;
  /** Whether it is the body of a batch. */
  readonly batch: boolean;
}

/** What the thread answers: a {@link Problem} does not survive the way, its parts do. */
export type Judgement =
  | {
      readonly kind: 'right';
      /** In UTF-8; of a batch the texts of all. */
      readonly parameters: Uint8Array | readonly string[];
      readonly options: JobOptions;
      readonly maxAttempts: number;
      readonly digest: Uint8Array;
    }
  | {
      readonly kind: 'wrong';
      readonly slug: ProblemSlug;
      readonly detail: string;
      readonly invalidParams: readonly InvalidParam[] | undefined;
    };

const schemas = new Map<string, JudgedTask['parameters']>();

/** Entry of the thread that judges large bodies. */
export default async function judgeInThread(body: BodyToJudge): Promise<Judgement> {
  try {
    const parameters = schemas.get(body.moduleUrl) ?? (await schemaOf(body));
    schemas.set(body.moduleUrl, parameters);
    const task = { parameters, maxAttempts: body.maxAttempts } as JudgedTask;
    const bytes = Buffer.from(body.bytes.buffer);
    if (body.batch) {
      return { ...judgedBatch(bytes, task, body.digested), kind: 'right' };
    }
    const judged = judgedBody(bytes, task, body.digested);
    return { ...judged, kind: 'right', parameters: Buffer.from(judged.parameters) };
  } catch (error) {
    if (error instanceof Problem) {
      const { slug, detail, extra } = error;
      return { kind: 'wrong', slug, detail, invalidParams: extra.invalidParams };
    }
    throw error;
  }
}

async function schemaOf({ document, moduleUrl }: BodyToJudge): Promise<JudgedTask['parameters']> {
  if (document !== null) {
    return new JsonSchema(document);
  }
  const { default: task } = (await import(moduleUrl)) as { default: JudgedTask };
  return task.parameters;
}
