import type { AttemptOutcome } from '../../../jobs/lease/attempt-outcome.js';
import { executeTask } from '../execute-task.js';
import { STOP_REASONS } from '../attempt.js';
import type { CodeTask } from '../../task.js';
import { SpanRecorder } from '../trace/span-recorder.js';
import type { ThreadJob, ThreadProgress } from './thread-protocol.js';

/** Progress messages closer together than this stay in the thread, but for the last. */
const POST_EVERY_MS = 50;

/** Entry of the worker threads: runs one attempt of a task. */
export default async function runInThread(job: ThreadJob): Promise<AttemptOutcome> {
  const { default: task } = (await import(job.moduleUrl)) as { default: CodeTask };
  const stopping = new AbortController();
  let latest: ThreadProgress | null = null;
  let postedAt = Number.NEGATIVE_INFINITY;

  const post = (): void => {
    if (latest !== null) {
      job.port.postMessage(latest);
      latest = null;
      postedAt = performance.now();
    }
  };
  const heedStop = (): void => {
    const reason = STOP_REASONS[Atomics.load(job.stop, 0) - 1];
    if (reason !== undefined) {
      stopping.abort(reason);
    }
  };
  const watch = setInterval(() => {
    post();
    heedStop();
  }, POST_EVERY_MS);

  const recorder = job.traced ? new SpanRecorder((span) => job.port.postMessage({ span })) : null;
  const outcome = await executeTask(task, job.parameters, {
    jobId: job.jobId,
    attempt: job.attempt,
    signal: stopping.signal,
    get threads() {
      return job.threads === null ? 1 : Atomics.load(job.threads, 0);
    },
    span: recorder?.span ?? ((_name, work) => work()),
    progress(percent, message) {
      heedStop();
      stopping.signal.throwIfAborted();
      latest = { percent, message: message ?? (latest?.message as string | undefined) ?? null };
      if (performance.now() - postedAt >= POST_EVERY_MS) {
        post();
      }
    },
  });
  clearInterval(watch);
  post();
  return outcome;
}
