import type pg from 'pg';

/** Rows of a query that sums up `bytes` by organization. */
async function sums(owner: pg.Pool, parts: string): Promise<Record<string, number>> {
  const { rows } = await owner.query<{ org_id: string; bytes: string }>(
    `SELECT org_id, sum(bytes) AS bytes FROM (${parts}) AS part GROUP BY org_id HAVING sum(bytes) <> 0`,
  );
  return Object.fromEntries(rows.map(({ org_id, bytes }) => [org_id, Number(bytes)]));
}

/** What the database believes that each organization stores. */
export const believedBytes = (owner: pg.Pool) =>
  sums(owner, 'SELECT org_id, stored_bytes AS bytes FROM organization_usage');

/** What each organization stores, counted from all that is there. */
export const countedBytes = (owner: pg.Pool) =>
  sums(
    owner,
    `SELECT org_id, octet_length(parameters::text) AS bytes FROM job_submissions
     UNION ALL SELECT org_id, octet_length(results::text) FROM job_ends
     UNION ALL SELECT org_id, octet_length(parameters::text) FROM job_parameters
     UNION ALL SELECT org_id, octet_length(results::text) FROM job_results
     UNION ALL SELECT org_id, octet_length(text) FROM job_logs`,
  );
