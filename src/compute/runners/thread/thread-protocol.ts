import type { MessagePort } from 'node:worker_threads';
import type { RecordedSpan } from '../trace/span-recorder.js';

/** What a worker thread is handed for one attempt. */
export interface ThreadJob {
  readonly moduleUrl: string;
  readonly jobId: string;
  readonly attempt: number;
  readonly parameters: string;
  /** Progress and, where somebody traces, spans go out here. */
  readonly port: MessagePort;
  /**
   * One 32-bit number in shared memory: 0, or when the attempt is to stop, 1 + the index of the reason
   * in STOP_REASONS. A busy thread reads no messages, but it can read this.
   */
  readonly stop: Int32Array<SharedArrayBuffer>;
  /** One number in shared memory: how many threads the attempt may use now; null for one. */
  readonly threads: Int32Array<SharedArrayBuffer> | null;
  readonly traced: boolean;
}

export type ThreadMessage = ThreadProgress | { readonly span: RecordedSpan };

export interface ThreadProgress {
  readonly percent: number;
  readonly message: string | null;
}
