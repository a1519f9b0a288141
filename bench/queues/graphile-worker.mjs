// graphile-worker, with the settings of its own page on performance. It deletes a job when it is
// done, so nothing of it and no result can be kept.
import { Logger, makeWorkerUtils, run } from 'graphile-worker';
import pg from 'pg';
import { versionOf } from '../support/machine.mjs';

export const name = 'graphile-worker';
export const version = versionOf(name);
export const settings =
  'concurrentJobs 24, maxPoolSize 25, localQueue.size 500, completeJobBatchDelay 0, failJobBatchDelay 0';

const TASK = 'bench';
const JOBS_PER_INSERT = 2_000;
const logger = new Logger(() => () => {});

const preset = (url) => ({
  worker: {
    connectionString: url,
    concurrentJobs: 24,
    maxPoolSize: 25,
    localQueue: { size: 500 },
    completeJobBatchDelay: 0,
    failJobBatchDelay: 0,
  },
});

export async function setUp({ postgres }) {
  const url = await postgres.database('graphile');
  const utils = await makeWorkerUtils({ connectionString: url, logger });
  await utils.migrate();
  await utils.release();
  return { url };
}

export async function open({ url }) {
  const pool = new pg.Pool({ connectionString: url, max: 17 });
  pool.on('error', (error) => console.error(error)).on('connect', () => {});
  const utils = await makeWorkerUtils({ pgPool: pool, logger });
  const jobs = 'graphile_worker._private_jobs';
  const left = async () => Number((await pool.query(`SELECT count(*) FROM ${jobs}`)).rows[0].count);
  return {
    add: (key) => utils.addJob(TASK, { key }),
    async fill(count) {
      await pool.query(`TRUNCATE ${jobs}`);
      for (let at = 0; at < count; at += JOBS_PER_INSERT) {
        const length = Math.min(JOBS_PER_INSERT, count - at);
        await utils.addJobs(
          Array.from({ length }, (_, index) => ({
            identifier: TASK,
            payload: { key: String(at + index) },
          })),
        );
      }
      await pool.query(`VACUUM ANALYZE ${jobs}`);
      await pool.query('CHECKPOINT');
    },
    busy: async () => (await pool.query(`SELECT 1 FROM ${jobs} LIMIT 1`)).rowCount > 0,
    /** The last deletion is seen from here, a few milliseconds late. */
    async tally(count, { firstClaim, seenDone }) {
      return { done: count - (await left()), from: firstClaim, to: seenDone };
    },
    async close() {
      await utils.release();
      await pool.end();
    },
  };
}

export async function work({ url }, onClaim, onStart) {
  const runner = await run({
    preset: preset(url),
    logger,
    noHandleSignals: true,
    taskList: {
      [TASK](payload) {
        onStart(payload.key);
        return { key: payload.key };
      },
    },
  });
  runner.events.once('worker:getJob:start', () => onClaim(Date.now()));
  return () => runner.stop();
}
