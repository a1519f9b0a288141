// Headframe: the built service over its own tables. Workers are processes of `dist/main.js`; adds go
// through the store that the HTTP route calls.
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { JobSignals } from '../../dist/jobs/job/job-signals.js';
import { SubmitStore } from '../../dist/jobs/submit/submit.store.js';
import { LocalStarts } from '../../dist/jobs/lease/local-starts.js';
import { UsageMeter } from '../../dist/jobs/limits/usage-meter.js';
import { Database } from '../../dist/platform/database/database.js';
import { versionOf } from '../support/machine.mjs';
import { peakMemory, startServer } from '../support/processes.mjs';
import { JOB_TABLES, queueJobs } from '../support/queue-jobs.mjs';
import { addJob } from './headframe-add.mjs';

const SLOTS = 100;

export const name = 'Headframe';
export const version = versionOf('..');
export const settings = `WORKER_SLOTS ${SLOTS}, LOG_LEVEL warn, everything else as it comes`;

/** Below every id that this process or its database makes from now on. */
const FIRST_ID = uuidv7({ msecs: Date.now() - 1_000 });
/** Makes the worker tell when the code of a task is called. */
const PROBE = fileURLToPath(new URL('headframe.probe.mjs', import.meta.url));

export const setUp = async ({ postgres }) => ({ url: postgres.url });

/**
 * @param {{url: string}} place
 * @param {{organizations?: number}} options between how many organizations the jobs of `fill` are dealt
 */
export async function open({ url }, { organizations = 1 } = {}) {
  // As the service asks: a look at the queue must not read the table while workers drain it.
  const pool = new pg.Pool({ connectionString: url, max: 2, options: '-c enable_seqscan=off' });
  const database = new Database({ url, poolSize: 10 });
  const usage = new UsageMeter(database);
  const [jobs, signals] = [
    new SubmitStore(database, usage, new LocalStarts()),
    new JobSignals(database),
  ];
  const orgIds = Array.from({ length: organizations }, () => randomUUID());
  let keepsEnded = false;
  return {
    /** From now on `fill` leaves other organizations' jobs where they are. */
    keepEnded() {
      keepsEnded = true;
    },
    add: (jobId = uuidv7()) => addJob(jobs, signals, jobId),
    /** Queues jobs that no worker may take yet: a cap of none holds them. */
    async fill(count) {
      await (keepsEnded ? removeJobs(pool, orgIds) : pool.query(EMPTY));
      await queueJobs(pool, orgIds, count);
      await pool.query(`VACUUM ANALYZE ${JOB_TABLES}`);
      await pool.query('CHECKPOINT');
    },
    hold: () =>
      pool.query(
        'INSERT INTO organization_limits (org_id, max_running) SELECT unnest($1::uuid[]), 0',
        [orgIds],
      ),
    async release() {
      await pool.query('DELETE FROM organization_limits WHERE org_id = ANY ($1::uuid[])', [orgIds]);
      signals.announceWork();
    },
    async busy() {
      const { rows } = await pool.query(
        // From its end, where the youngest are: from its beginning it would read what workers have taken.
        `SELECT CASE WHEN EXISTS (SELECT 1 FROM (
             SELECT 1 FROM job_queue WHERE run_after IS NULL
             ORDER BY org_id DESC, topic DESC, task DESC, urgency DESC, job_id DESC LIMIT 1) youngest)
           THEN true ELSE EXISTS (SELECT 1 FROM job_leases WHERE org_id = ANY ($1::uuid[])) END AS busy`,
        [orgIds],
      );
      return rows[0].busy;
    },
    /** Of the jobs of `fill` alone, with their results. */
    async tally() {
      const { rows } = await pool.query(
        `SELECT count(*)::int AS done, 1000 * extract(epoch FROM min(started_at))::float AS from,
           1000 * extract(epoch FROM max(ended_at))::float AS to
         FROM job_ends WHERE results IS NOT NULL AND org_id = ANY ($1::uuid[])`,
        [orgIds],
      );
      return rows[0];
    },
    async close() {
      signals.onApplicationShutdown();
      await usage.onModuleDestroy();
      await database.onApplicationShutdown();
      await pool.end();
    },
  };
}

const EMPTY = `TRUNCATE ${JOB_TABLES}, organization_limits`;

/** Their ids alone are known to be new: all others are older than this process. */
const removeJobs = (pool, orgIds) =>
  pool.query(
    `WITH gone AS (DELETE FROM job_submissions WHERE id >= $2 AND org_id = ANY ($1::uuid[]) RETURNING id)
     DELETE FROM job_ends USING gone WHERE job_id = id`,
    [orgIds, FIRST_ID],
  );

/** A replica of the service that runs jobs, and tells when the code of each is called if asked to. */
export async function startWorker({ url }, { role = 'worker', probe = false } = {}) {
  const flags = probe ? ['--import', PROBE] : [];
  const env = { DATABASE_URL: url, ROLE: role, LOG_LEVEL: 'warn', WORKER_SLOTS: String(SLOTS) };
  const server = await startServer('dist/main.js', env, flags);
  const handle = {
    pid: server.child.pid,
    url: server.url,
    /** @type {(key: string, at: number) => void} */
    onStart: () => {},
    /** Lets the process add jobs to itself: see `addToStart`. It must have served a submit before. */
    async addToSelf(options) {
      server.child.send({ addToSelf: options });
      for (;;) {
        const [{ waits }] = await once(server.child, 'message');
        if (waits !== undefined) return waits;
      }
    },
    peakMemory: () => peakMemory(server.child),
    stop: server.stop,
  };
  if (probe) {
    server.child.on('message', ({ key, at }) => {
      if (key !== undefined) handle.onStart(key, at);
    });
  }
  return handle;
}
