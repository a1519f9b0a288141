// Progress at a steady rate, as a worker with many running jobs writes it: twice a second, the latest
// of each job, in one statement.
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { LeaseStore } from '../../dist/jobs/lease/lease.store.js';
import { WorkerStore } from '../../dist/jobs/lease/worker.store.js';
import { Database } from '../../dist/platform/database/database.js';

const EVERY_MS = 500;

/** @returns {Promise<{stop(): Promise<void>}>} */
export async function reportProgress(place, { perSecond }) {
  const database = new Database({ url: place.url, poolSize: 2 });
  // Makes and deletes jobs as only the owner of the table may.
  const owner = new pg.Pool({ connectionString: place.url, max: 1 });
  const [leases, workers] = [new LeaseStore(database), new WorkerStore(database)];
  const worker = await workers.register('bench', { version: '0', tasks: new Map() });
  const count = (perSecond * EVERY_MS) / 1_000;
  let running = null;
  // The drain empties the table before it fills it: the jobs are made when it has done so.
  const start = async () => {
    const { rows } = await owner.query(
      `WITH job AS (
         INSERT INTO job_submissions (id, org_id, topic, task)
         SELECT uuidv7(), $1, 'bench', 'progress' FROM generate_series(1, $3) RETURNING *
       )
       INSERT INTO job_leases (job_id, lease_id, worker_id, org_id, topic, task, attempt, failures, crashes)
       SELECT id, gen_random_uuid(), $2, org_id, topic, task, 1, 0, 0 FROM job RETURNING job_id, lease_id`,
      [randomUUID(), worker.id, count],
    );
    return rows.map((row) => ({ jobId: row.job_id, leaseId: row.lease_id }));
  };
  let turn = 0;
  const report = async () => {
    await workers.beat(worker.id);
    running ??= await start();
    turn += 1;
    const percent = Math.min(99, turn);
    const held = await leases.progress(
      running.map((lease) => ({ ...lease, percent, message: `turn ${turn}` })),
    );
    if (held.size === 0) running = null;
  };
  let writing = Promise.resolve();
  const timer = setInterval(() => {
    writing = writing.then(report);
  }, EVERY_MS);
  return {
    async stop() {
      clearInterval(timer);
      await writing;
      await owner.query(
        `WITH gone AS (DELETE FROM job_leases WHERE worker_id = $1 RETURNING job_id)
         DELETE FROM job_submissions USING gone WHERE id = job_id`,
        [worker.id],
      );
      await workers.unregister(worker.id);
      await Promise.all([database.onApplicationShutdown(), owner.end()]);
    },
  };
}
