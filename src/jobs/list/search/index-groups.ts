/**
 * SQL of the groups of an index: the distinct values of some of its columns, found by one look at the index for
 * each, the first, then each time the next behind it.
 * @param table read as `member`
 * @param where what holds for all members: a beginning of the index, and its condition
 * @param columns the next columns of the index, in its order
 */
export function groupsOf(table: string, where: string, columns: readonly string[]): string {
  const list = columns.map((column) => `member.${column}`).join(', ');
  const last = columns.map((column) => `part.${column}`).join(', ');
  const look = (behind: string): string => `SELECT ${list} FROM ${table} member
      WHERE ${where}${behind} ORDER BY ${list} LIMIT 1`;
  return `WITH RECURSIVE part AS ((${look('')}) UNION ALL
      SELECT next.* FROM part CROSS JOIN LATERAL (${look(` AND (${list}) > (${last})`)}) AS next)
    SELECT * FROM part`;
}

/** The tasks and urgencies of what waits and may be claimed, of the organization that is the parameter $1. */
export const WAITING_GROUPS = groupsOf(
  'job_queue',
  'member.org_id = $1 AND member.run_after IS NULL',
  ['topic', 'task', 'urgency'],
);
