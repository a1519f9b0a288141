/**
 * The four tables that a job may be in, joined to a relation `candidate` of ids: as the view `jobs` does it, for
 * statements that read less of them.
 */
export const JOB_TABLES = `JOIN job_submissions s ON s.id = candidate.id
  LEFT JOIN job_queue q ON q.job_id = candidate.id
  LEFT JOIN job_leases l ON l.job_id = candidate.id
  LEFT JOIN job_ends e ON e.job_id = candidate.id`;

/** SQL of a job's status, over {@link JOB_TABLES}. */
export const STATUS_SQL = `coalesce(e.status,
  CASE l.canceling WHEN true THEN 'canceling' WHEN false THEN 'in progress' ELSE 'requested' END)`;
