/** Named one by one: not all are shown to requests. */
const COLUMNS = {
  s: 'id, org_id, topic, task, priority, created_at, parameters_bytes',
  q: 'job_id, run_after, started_at, attempt, failures, crashes',
  l: 'job_id, canceling, progress, message, started_at, attempt, failures, crashes',
  e: 'job_id, status, progress, message, error, started_at, ended_at, attempt, failures, crashes',
};

const LOOK_UPS = {
  s: `CROSS JOIN LATERAL (SELECT ${COLUMNS.s} FROM job_submissions WHERE id = candidate.id OFFSET 0) AS s`,
  q: `LEFT JOIN LATERAL (SELECT ${COLUMNS.q} FROM job_queue WHERE job_id = candidate.id OFFSET 0) AS q ON true`,
  l: `LEFT JOIN LATERAL (SELECT ${COLUMNS.l} FROM job_leases WHERE job_id = candidate.id OFFSET 0) AS l ON true`,
  e: `LEFT JOIN LATERAL (SELECT ${COLUMNS.e} FROM job_ends WHERE job_id = candidate.id OFFSET 0) AS e ON true`,
};

/**
 * The four tables that a job may be in, joined to a relation `candidate` of ids: as the view `jobs` does it, but
 * each looked up by its key for each candidate (`OFFSET 0` keeps the planner from anything else: it would read
 * all that an organization has, when it takes that for little).
 */
export const JOB_TABLES = Object.values(LOOK_UPS).join('\n  ');

/** Those of {@link JOB_TABLES} that some SQL names. */
export const tablesIn = (sql: string): string =>
  Object.entries(LOOK_UPS)
    .filter(([name]) => new RegExp(`\\b${name}\\.`).test(sql))
    .map(([, lookUp]) => lookUp)
    .join('\n  ');

/** SQL of a job's status, over {@link JOB_TABLES}. */
export const STATUS_SQL = `coalesce(e.status,
  CASE l.canceling WHEN true THEN 'canceling' WHEN false THEN 'in progress' ELSE 'requested' END)`;
