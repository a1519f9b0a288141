// What something costs beside how fast it is: processor time of the processes that do it and of the server
// of the database, and what is written to its log.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { processorTime, processorTimeOfAll } from './processor-time.mjs';

/**
 * @param {string} url of a database whose server runs on this machine, for this benchmark alone
 * @returns {Promise<{begin(processes: {pid: number}[]): Promise<void>, end(count: number): Promise<Costs>, close(): Promise<void>}>}
 *
 * @typedef {{own: number, database: number, wal: number}} Costs µs, µs and bytes of one job or request
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
    own: pids.reduce((sum, pid) => sum + processorTime(pid), 0),
    database: processorTimeOfAll(Number(first)),
    wal: await wal(),
  });
  let pids = [];
  let before;
  return {
    async begin(processes) {
      pids = processes.map(({ pid }) => pid);
      before = await read(pids);
    },
    async end(count) {
      const after = await read(pids);
      return {
        own: (1_000 * (after.own - before.own)) / count,
        database: (1_000 * (after.database - before.database)) / count,
        wal: (after.wal - before.wal) / count,
      };
    },
    close: () => client.end(),
  };
}
