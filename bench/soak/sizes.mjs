// What the tables of jobs hold on the disk, and what vacuum did about it.

const TABLES = [
  'job_submissions',
  'job_queue',
  'job_leases',
  'job_ends',
  'workers',
  'organization_usage',
];

/**
 * @param {import('pg').Pool} pool
 * @returns {Promise<{sizes: Record<string, number>, vacuums: number}>} megabytes of each table and of
 *   its indexes, by name; how often the queue was vacuumed by itself
 */
export async function sizes(pool) {
  const { rows } = await pool.query(
    `SELECT relname AS name, pg_relation_size(relid) / 1e6 AS own, pg_indexes_size(relid) / 1e6 AS indexes,
       autovacuum_count::int AS vacuums
     FROM pg_stat_user_tables WHERE relname = ANY ($1) ORDER BY array_position($1, relname::text)`,
    [TABLES],
  );
  return {
    sizes: Object.fromEntries(
      rows.flatMap(({ name, own, indexes }) => [
        [name, Number(own)],
        [`${name}, indexes`, Number(indexes)],
      ]),
    ),
    vacuums: rows.find(({ name }) => name === 'job_queue').vacuums,
  };
}
