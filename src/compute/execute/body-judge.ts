import { fileURLToPath } from 'node:url';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Piscina } from 'piscina';
import type { JobOptions } from '../../jobs/job/job.js';
import { THREAD_ARGUMENTS } from '../../platform/thread-arguments.js';
import { CONFIG, type Config } from '../../platform/config.js';
import { Problem } from '../../platform/http/problem/problem.js';
import type { BodyToJudge, Judgement } from './body-judge.thread.js';
import { JsonSchema } from '../schema/json.schema.js';
import { type JudgedBatch, judgedBatch } from './batch/batch-body.js';
import { judgedBody } from './execute-body.js';
import type { CatalogueEntry } from '../catalogue/task-catalogue.js';

/** Judging so many bytes takes a few milliseconds at most: more of them go to the thread. */
const MAX_HERE = 64 * 1024;
/** After which an idle thread is ended, and its memory with it. */
const IDLE_MS = 5_000;
const MEBIBYTE = 1024 * 1024;
/** Heap of the thread: what it needs for any body, and for each byte of the largest. */
const HEAP_MEGABYTES = 256;
const HEAP_PER_BYTE = 12;

/** An execute request that was found right, ready to be stored. */
interface StorableBody {
  readonly parameters: string | Buffer;
  readonly options: JobOptions;
  readonly maxAttempts: number;
  readonly digest: Buffer;
}

/**
 * Judges the bodies of execute requests: small ones at once, large ones in a thread, one after the
 * other, so that none of them blocks the event loop. How many can wait there is bounded by
 * the budget of bodies.
 */
@Injectable()
export class BodyJudge implements OnApplicationShutdown {
  private readonly thread: Piscina<BodyToJudge, Judgement>;

  constructor(@Inject(CONFIG) config: Config) {
    this.thread = new Piscina({
      filename: fileURLToPath(new URL('./body-judge.thread.js', import.meta.url)),
      minThreads: 0,
      maxThreads: 1,
      idleTimeout: IDLE_MS,
      env: {},
      execArgv: [...THREAD_ARGUMENTS],
      resourceLimits: {
        maxOldGenerationSizeMb:
          HEAP_MEGABYTES + Math.ceil((HEAP_PER_BYTE * config.BODY_LIMIT_BYTES) / MEBIBYTE),
      },
    });
  }

  /**
   * @param bytes a large body's memory is given away
   * @param digested whether the digest of the body is wanted
   * @throws Problem for a body that is wrong, or that takes more memory to judge than there may be
   */
  async judge(
    bytes: Buffer<ArrayBuffer>,
    entry: CatalogueEntry,
    digested: boolean,
  ): Promise<StorableBody> {
    if (bytes.length <= MAX_HERE) {
      return judgedBody(bytes, entry.task, digested);
    }
    const { parameters, ...rest } = await this.judgeThere(bytes, entry, digested, false);
    return { ...rest, parameters: bufferOf(parameters as Uint8Array) };
  }

  /** The same for the body of a batch. */
  async judgeBatch(
    bytes: Buffer<ArrayBuffer>,
    entry: CatalogueEntry,
    digested: boolean,
  ): Promise<JudgedBatch> {
    if (bytes.length <= MAX_HERE) {
      return judgedBatch(bytes, entry.task, digested);
    }
    const { parameters, ...rest } = await this.judgeThere(bytes, entry, digested, true);
    return { ...rest, parameters: parameters as readonly string[] };
  }

  private async judgeThere(
    bytes: Buffer<ArrayBuffer>,
    { task, moduleUrl }: CatalogueEntry,
    digested: boolean,
    batch: boolean,
  ) {
    const { parameters, maxAttempts } = task;
    const document = parameters instanceof JsonSchema ? parameters.document : null;
    const judgement = await this.thread
      .run(
        { bytes, moduleUrl, document, maxAttempts, digested, batch },
        { transferList: [bytes.buffer] },
      )
      .catch(refuseOutOfMemory);
    if (judgement.kind === 'wrong') {
      const { slug, detail, invalidParams } = judgement;
      throw new Problem(slug, detail, { ...(invalidParams && { invalidParams }) });
    }
    return {
      options: judgement.options,
      maxAttempts: judgement.maxAttempts,
      parameters: judgement.parameters,
      digest: bufferOf(judgement.digest),
    };
  }

  async onApplicationShutdown(): Promise<void> {
    await this.thread.destroy();
  }
}

/** The same memory as a Buffer. */
const bufferOf = ({ buffer, byteOffset, byteLength }: Uint8Array): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength);

function refuseOutOfMemory(error: unknown): never {
  if ((error as { code?: unknown }).code === 'ERR_WORKER_OUT_OF_MEMORY') {
    throw new Problem(
      'payload-too-large',
      'The body takes more memory to read than it may: send fewer values at once.',
    );
  }
  throw error;
}
