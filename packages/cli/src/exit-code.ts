/** How the command ends, for scripts: documented in docs/cli.md. */
export const EXIT = {
  /** Done; of a job: it has succeeded. */
  succeeded: 0,
  /** The job failed, or something went wrong that has no code of its own. */
  failed: 1,
  /** The command makes no sense, here or to the service. */
  usage: 2,
  canceled: 3,
  waitedTooLong: 4,
  notPermitted: 5,
  /** Out of reach, or too busy for as long as was waited. */
  unreachable: 6,
  /** Ctrl-C: the job goes on. */
  detached: 130,
  /** Whoever read the output has closed it, as `head` does. */
  closedPipe: 141,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
