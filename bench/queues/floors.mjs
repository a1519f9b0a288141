// What PostgreSQL itself does on this machine: bare statements on a table of a queue's least columns.
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { addRate } from './adds.mjs';

const SECONDS = 2;

const SCHEMA = `
  CREATE TABLE floor_jobs (
    id uuid PRIMARY KEY DEFAULT uuidv7(), state text NOT NULL DEFAULT 'queued', lease uuid, result json
  );
  CREATE INDEX floor_queued ON floor_jobs (id) WHERE state = 'queued'`;

const CLAIM = `
  WITH head AS MATERIALIZED (
    SELECT id FROM floor_jobs WHERE state = 'queued' ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED
  )
  UPDATE floor_jobs job SET state = 'running', lease = $2 FROM head WHERE job.id = head.id
  RETURNING job.id`;

const COMPLETE = `
  UPDATE floor_jobs job SET state = 'done', lease = NULL, result = done.result
  FROM unnest($1::uuid[], $2::json[]) AS done(id, result) WHERE job.id = done.id AND job.lease = $3`;

/** @returns {Promise<Record<string, number>>} rows a second */
export async function floors({ postgres }) {
  const pool = new pg.Pool({ connectionString: await postgres.database('floor'), max: 16 });
  try {
    await pool.query(SCHEMA);
    const single = await addRate(
      { add: () => pool.query({ name: 'one', text: 'INSERT INTO floor_jobs DEFAULT VALUES' }) },
      { callers: 16, seconds: SECONDS },
    );
    const text = 'INSERT INTO floor_jobs (id) SELECT uuidv7() FROM generate_series(1, 100)';
    const hundreds = await addRate(
      { add: () => pool.query({ name: 'hundred', text }) },
      { callers: 2, seconds: SECONDS },
    );
    return {
      'insert, one row each, 16 clients': single,
      'insert, 100 rows each, 2 clients': 100 * hundreds,
      'claim and complete, batches of 100, 2 clients': await claimAndComplete(pool, 100),
      'claim and complete, batches of 500, 2 clients': await claimAndComplete(pool, 500),
    };
  } finally {
    await pool.end();
  }
}

async function claimAndComplete(pool, size) {
  const jobs = 100_000;
  await pool.query('TRUNCATE floor_jobs');
  await pool.query('INSERT INTO floor_jobs (id) SELECT uuidv7() FROM generate_series(1, $1)', [
    jobs,
  ]);
  await pool.query('VACUUM ANALYZE floor_jobs');
  await pool.query('CHECKPOINT');
  const began = performance.now();
  const client = async () => {
    for (;;) {
      const lease = randomUUID();
      const claimed = await pool.query({ name: 'claim', text: CLAIM, values: [size, lease] });
      if (claimed.rowCount === 0) return;
      const ids = claimed.rows.map(({ id }) => id);
      const results = ids.map(() => '{"ok":true}');
      await pool.query({ name: 'complete', text: COMPLETE, values: [ids, results, lease] });
    }
  };
  await Promise.all([client(), client()]);
  return (1_000 * jobs) / (performance.now() - began);
}
