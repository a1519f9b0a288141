import { parentPort, workerData } from 'node:worker_threads';
import { PointDealer } from './point-dealer.js';

/** Estimates points one at a time, each as if it were the only one. */
export interface PointEstimator {
  /** @param index of the target */
  estimate(index: number): void;
  /** What it met that the whole job has to know of, as it can be handed from thread to thread. */
  readonly finding: unknown;
}

/** What a helper is started with. */
export interface HelperData {
  readonly work: unknown;
  readonly order: Uint32Array;
  readonly total: number;
  readonly memory: Int32Array<SharedArrayBuffer>;
  /** Its number; that of the thread of the job is 0. */
  readonly thread: number;
}

/** The whole of a helper thread: makes an estimator of its own, and estimates what it is dealt. */
export function help<W>(estimatorOf: (work: W) => PointEstimator): void {
  const { work, order, total, memory, thread } = workerData as HelperData;
  const dealer = new PointDealer(total, memory);
  const estimator = estimatorOf(work as W);
  for (;;) {
    dealer.waitToBeAllowed(thread);
    const block = dealer.deal();
    if (!block) break;
    for (let i = block.from; i < block.to && !dealer.isStopped; i++) estimator.estimate(order[i]!);
    dealer.noteDone(block.to - block.from);
  }
  parentPort?.postMessage(estimator.finding);
}
