// Jobs that come, run, end and are deleted, at a steady rate: the queue stays short and the number of
// ended jobs the same, so whatever grows is what updates and deletes leave behind.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { ClaimStore } from '../../dist/jobs/lease/claim.store.js';
import { JobSignals } from '../../dist/jobs/job/job-signals.js';
import { LocalStarts } from '../../dist/jobs/lease/local-starts.js';
import { SubmitStore } from '../../dist/jobs/submit/submit.store.js';
import { LeaseStore } from '../../dist/jobs/lease/lease.store.js';
import { UsageMeter } from '../../dist/jobs/limits/usage-meter.js';
import { WorkerStore } from '../../dist/jobs/lease/worker.store.js';
import { Database } from '../../dist/platform/database/database.js';
import { addJob } from '../queues/headframe-add.mjs';
import { TASK } from '../support/queue-jobs.mjs';

const EVERY_MS = 100;
const RESULTS = '{"message":"Slept 0.001 seconds in 1 naps","seconds":0.001,"steps":1}';

/**
 * @param {string} url
 * @param {{perSecond: number, kept: number, goOn(): boolean}} load `kept`: how many ended jobs stay
 * @returns {Promise<number>} how many jobs ended
 */
export async function churn(url, { perSecond, kept, goOn }) {
  const database = new Database({ url, poolSize: 4 });
  const usage = new UsageMeter(database);
  const [jobs, claims] = [
    new SubmitStore(database, usage, new LocalStarts()),
    new ClaimStore(database),
  ];
  const [leases, workers] = [new LeaseStore(database, usage), new WorkerStore(database)];
  const signals = new JobSignals(database);
  const owner = new pg.Pool({ connectionString: url, max: 1 });
  const { id: workerId } = await workers.register('bench', { version: '0', tasks: new Map() });
  const count = (perSecond * EVERY_MS) / 1_000;
  const ended = [];
  let turn = { cursor: randomUUID(), credit: 0 };
  let total = 0;
  for (let due = performance.now(); goOn(); due += EVERY_MS) {
    await sleep(Math.max(0, due - performance.now()));
    await Promise.all(Array.from({ length: count }, () => addJob(jobs, signals, uuidv7())));
    const claim = await claims.claim(workerId, [TASK], count, turn);
    ({ turn } = claim);
    await Promise.all(
      claim.jobs.map(({ jobId, leaseId }) =>
        leases.succeed({ jobId, leaseId, message: null, results: RESULTS }),
      ),
    );
    ended.push(...claim.jobs.map(({ jobId }) => jobId));
    total += claim.jobs.length;
    if (ended.length > kept) {
      await owner.query('SELECT delete_ended_jobs($1::uuid[])', [
        ended.splice(0, ended.length - kept),
      ]);
    }
  }
  signals.onApplicationShutdown();
  await workers.unregister(workerId);
  await usage.onModuleDestroy();
  await Promise.all([database.onApplicationShutdown(), owner.end()]);
  return total;
}
