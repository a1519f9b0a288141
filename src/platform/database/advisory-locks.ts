/**
 * The keys of all advisory locks, side by side so that no two meet. SQL functions spell those of theirs as
 * literals, which a test compares with these.
 */
export const ADVISORY_LOCKS = {
  /** One key: held by who migrates. It is Prisma's own, so that its tools and ours keep out of each other's way. */
  migrations: 72_707_369,
  /**
   * One key, shared: held by every process that uses the embedded server, in its maintenance database
   * `postgres`, so that it cannot meet the locks of the service.
   */
  embeddedServer: 72_707_370,
  /** First of two: a worker's session holds it with the worker's own key, and so shows that it lives. */
  worker: 727_071,
  /** First of two, with an organization's hash: its running jobs are counted against a cap (`claim_jobs`). */
  organization: 727_072,
  /** First of two, with a task's hash: likewise (`task_rooms`). */
  task: 727_073,
} as const;
