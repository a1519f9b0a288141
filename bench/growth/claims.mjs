// What one claim takes, through the store, with nothing else going on.
import { randomUUID } from 'node:crypto';
import { ClaimStore } from '../../dist/jobs/lease/claim.store.js';
import { WorkerStore } from '../../dist/jobs/lease/worker.store.js';
import { Database } from '../../dist/platform/database/database.js';
import * as headframe from '../queues/headframe.mjs';
import { TASK } from '../support/queue-jobs.mjs';
import { median } from '../support/statistics.mjs';

const CLAIMS = 100;
const JOBS_PER_CLAIM = 100;

/** @returns {Promise<number>} milliseconds, the median of a hundred */
export async function claimMilliseconds(place, pool) {
  const queue = await headframe.open(place, { organizations: 10 });
  queue.keepEnded();
  await queue.fill(CLAIMS * JOBS_PER_CLAIM);
  const database = new Database({ url: place.url, poolSize: 2 });
  const [claims, workers] = [new ClaimStore(database), new WorkerStore(database)];
  const worker = await workers.register('bench', { version: '0', tasks: new Map() });
  try {
    let turn = { cursor: randomUUID(), credit: 0 };
    const took = [];
    for (let count = 0; count < CLAIMS; count += 1) {
      const asked = performance.now();
      ({ turn } = await claims.claim(worker.id, [TASK], JOBS_PER_CLAIM, turn));
      took.push(performance.now() - asked);
    }
    return median(took);
  } finally {
    await pool.query(
      `WITH gone AS (DELETE FROM job_leases RETURNING job_id)
       DELETE FROM job_submissions USING gone WHERE id = job_id`,
    );
    await workers.unregister(worker.id);
    await database.onApplicationShutdown();
    await queue.close();
  }
}
