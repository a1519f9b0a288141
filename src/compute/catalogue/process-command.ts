/** How a process task is started: what its manifest says. Each text may have placeholders. */
export interface ProcessCommand {
  /** Program and arguments. */
  readonly command: readonly string[];
  /** Goes in front of the command: `srun`, `docker run`, with their arguments. */
  readonly launcher: readonly string[];
  /** Run beside SIGTERM when the work is to stop: for what the launcher started elsewhere. */
  readonly cancel: readonly string[];
  /** Names of variables of the service that the command gets. */
  readonly variables: readonly string[];
  readonly cpus: number;
  /** Limit of address space, in MiB, of a command without a launcher; null: no limit. */
  readonly memoryMegabytes: number | null;
  /** Seconds from SIGTERM to SIGKILL. */
  readonly graceSeconds: number;
  /** Absolute path of the folder of the manifest. */
  readonly folder: string;
}

/** Variables that the runner sets itself: a manifest cannot ask for them. */
export const OWN_VARIABLES: readonly string[] = ['HOME', 'TMPDIR'];

/** What may stand in braces in a command, a launcher and a cancel command. */
export const PLACEHOLDERS = [
  'job_id',
  'attempt',
  'org_id',
  'topic',
  'task',
  'name',
  'cpus',
  'memory_mb',
  'folder',
  'workdir',
] as const;

export type Placeholder = (typeof PLACEHOLDERS)[number];

/** A placeholder, or what looks like one: braces around a lower-case word. */
export const BRACES = /\{([a-z_]+)\}/g;

/** Replaces placeholders by their values; braces around anything else stay as they are. */
export function fillIn(
  words: readonly string[],
  values: Readonly<Record<Placeholder, string>>,
): string[] {
  return words.map((word) =>
    word.replace(BRACES, (braces, name: string) =>
      Object.hasOwn(values, name) ? values[name as Placeholder] : braces,
    ),
  );
}
