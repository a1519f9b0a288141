// What a drain costs beside how fast it is: processor time of the workers and of the server of the
// database, and what is written to its log.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { processorTime, processorTimeOfAll } from '../support/processor-time.mjs';

/**
 * @param {string} url of a database whose server runs on this machine, for this benchmark alone
 * @returns {Promise<{begin(workers: {pid: number}[]): Promise<void>, end(jobs: number): Promise<Costs>, close(): Promise<void>}>}
 *
 * @typedef {{workers: number, database: number, wal: number}} Costs µs, µs and bytes of one job
 */
export async function costsOf(url) {
  const client = new pg.Client(url);
  await client.connect();
  const { rows } = await client.query('SHOW data_directory');
  const [first] = readFileSync(join(rows[0].data_directory, 'postmaster.pid'), 'utf8').split('\n');
  const wal = async () =>
    Number(
      (await client.query(`SELECT pg_current_wal_insert_lsn() - '0/0' AS bytes`)).rows[0].bytes,
    );
  const read = async (pids) => ({
    workers: pids.reduce((sum, pid) => sum + processorTime(pid), 0),
    database: processorTimeOfAll(Number(first)),
    wal: await wal(),
  });
  let pids = [];
  let before;
  return {
    async begin(workers) {
      pids = workers.map(({ pid }) => pid);
      before = await read(pids);
    },
    async end(jobs) {
      const after = await read(pids);
      return {
        workers: (1_000 * (after.workers - before.workers)) / jobs,
        database: (1_000 * (after.database - before.database)) / jobs,
        wal: (after.wal - before.wal) / jobs,
      };
    },
    close: () => client.end(),
  };
}
