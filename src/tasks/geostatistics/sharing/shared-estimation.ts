import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { resourceLimits, Worker } from 'node:worker_threads';
import type { TaskContext } from '../../../compute/task.js';
import type { WorkPace } from '../work-pace.js';
import type { HelperData, PointEstimator } from './helper-thread.js';
import { PointDealer } from './point-dealer.js';

/** Most threads of one job: each has an index of the samples of its own. */
export const MAX_THREADS = 16;
/** A helper takes about this long to start: work that ends sooner needs none. */
const START_MS = 100;
/** How often the thread of the job looks after the others. */
const LOOK_MS = 5;

interface Sharing {
  /** Indices of the target, in the order in which they are dealt. */
  readonly order: Uint32Array;
  readonly estimator: PointEstimator;
  /** What helpers make theirs from: what it writes to is in shared memory. */
  readonly work: object;
  /** The module of a helper thread, which calls `help`. */
  readonly helper: URL;
  readonly context: TaskContext;
  readonly pace: WorkPace;
}

/**
 * Estimates all points, in this thread and in as many others as the job may use, which may change at any
 * time. Each point is estimated as if it were the only one, so that it does not matter by which.
 * @returns what the estimators found, this thread's first
 * @throws the signal's reason when the job is canceled; whatever a helper failed with
 */
export async function estimateAll({
  order,
  estimator,
  work,
  helper: module,
  context,
  pace,
}: Sharing): Promise<unknown[]> {
  const total = order.length;
  const dealer = new PointDealer(total);
  const helpers: Helper[] = [];
  const started = performance.now();
  let looked = started;
  try {
    for (let block = dealer.deal(); block; block = dealer.deal()) {
      const { from, to } = block;
      const before = dealer.done;
      for (let i = from; i < to; i++) {
        pace.tell(before + i - from, total);
        estimator.estimate(order[i]!);
      }
      dealer.noteDone(to - from);
      const now = performance.now();
      if (now - looked < LOOK_MS) continue;
      looked = now;
      const { threads } = context;
      dealer.allow(threads);
      const left = ((now - started) / dealer.done) * (total - dealer.done);
      while (helpers.length + 1 < threads && left > START_MS) {
        const thread = helpers.length + 1;
        helpers.push(new Helper(module, { work, order, total, memory: dealer.memory, thread }));
      }
      // Lets in what helpers have to say.
      if (helpers.length > 0) await turn();
      for (const each of helpers) each.throwFailure();
    }
    dealer.allow(context.threads);
    const ended = Promise.all(helpers.map(({ finding }) => finding));
    while ((await Promise.race([ended, sleep(LOOK_MS)])) === undefined) {
      pace.tell(dealer.done, total);
    }
    return [estimator.finding, ...(await ended)];
  } finally {
    dealer.stop();
    await Promise.all(helpers.map((each) => each.end()));
  }
}

/** A thread beside that of the job; it ends with it, however that ends. */
class Helper {
  /** Settles when it has done its part. */
  readonly finding: Promise<unknown>;
  readonly #thread: Worker;
  #failure: { readonly error: unknown } | undefined;

  constructor(module: URL, workerData: HelperData) {
    // Nothing of the service's environment, and no more memory than the thread of the job has.
    this.#thread = new Worker(module, { workerData, env: {}, resourceLimits });
    this.finding = new Promise((resolve, reject) => {
      this.#thread.once('message', resolve);
      this.#thread.once('error', reject);
      this.#thread.once('exit', () => reject(new Error('A helper thread ended before its work.')));
    });
    this.finding.catch((error: unknown) => {
      this.#failure = { error };
    });
  }

  /** @throws what it failed with, if it has */
  throwFailure(): void {
    if (this.#failure) throw this.#failure.error;
  }

  async end(): Promise<void> {
    await this.#thread.terminate();
  }
}
