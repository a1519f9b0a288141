// Status reads through the store that the route uses, for the newest jobs.
import { JobStateStore } from '../../dist/jobs/read/job-state.store.js';
import { Database } from '../../dist/platform/database/database.js';
import { addRate } from '../queues/adds.mjs';

/** @returns {Promise<number>} reads a second */
export async function pollRate(place, pool) {
  const { rows } = await pool.query(
    'SELECT id, org_id, topic, task FROM jobs ORDER BY id DESC LIMIT 1000',
  );
  const keys = rows.map((row) => ({
    jobId: row.id,
    orgId: row.org_id,
    topic: row.topic,
    task: row.task,
  }));
  const database = new Database({ url: place.url, poolSize: 10 });
  const jobs = new JobStateStore(database);
  try {
    let turn = 0;
    const read = async () => {
      turn += 1;
      if ((await jobs.findState(keys[turn % keys.length])) === null) throw new Error('not found');
    };
    return await addRate({ add: read }, { callers: 50, seconds: 2 });
  } finally {
    await database.onApplicationShutdown();
  }
}
