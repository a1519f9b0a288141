// pg-boss: batches of 500 fetched without a pause while they come back full, each job completed with
// a result of its own. Workers are woken by NOTIFY only where that is measured: it slows adding.
import { PgBoss } from 'pg-boss';
import pg from 'pg';
import { versionOf } from '../support/machine.mjs';

export const name = 'pg-boss';
export const version = versionOf(name);
export const settings =
  'batchSize 500, burstWhenBatchFull, perJobResults, localConcurrency 2; notify and useListenNotify for add to start';

const DRAIN = 'drain';
/** Woken by a notification. */
const PROMPT = 'prompt';
const JOBS_PER_INSERT = 2_000;

const connect = async (url, options) => {
  const boss = new PgBoss({ connectionString: url, max: 17, schedule: false, ...options });
  boss.on('error', (error) => console.error(error));
  await boss.start();
  return boss;
};

export async function setUp({ postgres }) {
  const url = await postgres.database('pgboss');
  const boss = await connect(url, { supervise: false });
  await boss.createQueue(DRAIN);
  await boss.createQueue(PROMPT, { notify: true });
  await boss.stop();
  return { url };
}

export async function open({ url }) {
  const boss = await connect(url, { supervise: false, useListenNotify: true });
  const pool = new pg.Pool({ connectionString: url, max: 2 });
  return {
    add: (key, { prompt } = {}) => boss.send(prompt ? PROMPT : DRAIN, { key }),
    async fill(count) {
      await pool.query('TRUNCATE pgboss.job');
      for (let at = 0; at < count; at += JOBS_PER_INSERT) {
        const length = Math.min(JOBS_PER_INSERT, count - at);
        await boss.insert(
          DRAIN,
          Array.from({ length }, (_, index) => ({ data: { key: String(at + index) } })),
        );
      }
      await pool.query('VACUUM ANALYZE pgboss.job');
      await pool.query('CHECKPOINT');
    },
    busy: async () =>
      (await pool.query(`SELECT 1 FROM pgboss.job WHERE state < 'completed' LIMIT 1`)).rowCount > 0,
    async tally() {
      const { rows } = await pool.query(
        `SELECT count(*)::int AS done, 1000 * extract(epoch FROM min(started_on))::float AS from,
           1000 * extract(epoch FROM max(completed_on))::float AS to
         FROM pgboss.job WHERE state = 'completed' AND output IS NOT NULL`,
      );
      return rows[0];
    },
    async close() {
      await boss.stop();
      await pool.end();
    },
  };
}

export async function work({ url }, onClaim, onStart, { prompt }) {
  const boss = await connect(url, { useListenNotify: true, max: 10 });
  await boss.work(
    prompt ? PROMPT : DRAIN,
    {
      batchSize: 500,
      burstWhenBatchFull: true,
      perJobResults: true,
      localConcurrency: 2,
      pollingIntervalSeconds: 0.5,
    },
    async (jobs) =>
      jobs.map(({ id, data }) => {
        onStart(data.key);
        return { id, status: 'completed', output: { key: data.key } };
      }),
  );
  return () => boss.stop();
}
