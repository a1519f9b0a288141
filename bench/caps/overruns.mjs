// Counts what must not be: more jobs running than a cap allows, at any moment of a run.

/**
 * Every job's time from its claim to its end, by the database's clock, laid over those of the others.
 * An end is written before the claim that it makes room for, so the times of exact caps never overlap
 * beyond the cap.
 * @param {import('pg').Pool} pool
 * @param {'org_id' | 'task'} by whose cap
 * @param {number} cap
 * @returns {Promise<{overruns: number, most: number}>} claims that went beyond it, and the most that ran
 */
export async function overruns(pool, by, cap) {
  const { rows } = await pool.query(
    `WITH change AS (
       SELECT ${by} AS of, started_at AS at, 1 AS step FROM jobs WHERE started_at IS NOT NULL
       UNION ALL
       SELECT ${by}, ended_at, -1 FROM jobs WHERE ended_at IS NOT NULL
     ), running AS (
       SELECT step, sum(step) OVER (PARTITION BY of ORDER BY at, step ROWS UNBOUNDED PRECEDING) AS count
       FROM change
     )
     SELECT count(*) FILTER (WHERE step = 1 AND count > $1)::int AS overruns, max(count)::int AS most
     FROM running`,
    [cap],
  );
  return rows[0];
}
