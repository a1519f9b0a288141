import { access, constants, stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { inheritedVariables } from '../../../../platform/environment.js';
import type { Attempt } from '../../attempt.js';
import type { ProcessCommand, Placeholder } from '../../../catalogue/process-command.js';

/** The variable by which all processes of an attempt are known, whatever group they moved to. */
export const MARKER_VARIABLE = 'HEADFRAME_RUN';

const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** All that a command finds in its environment: nothing of the service but PATH and what its manifest lists. */
export function environmentOf(
  attempt: Attempt,
  { variables, cpus, folder }: ProcessCommand,
  workFolder: string,
): Record<string, string> {
  const { task } = attempt.entry;
  return {
    PATH: DEFAULT_PATH,
    LANG: 'C.UTF-8',
    ...inheritedVariables(['PATH', ...variables]),
    HOME: workFolder,
    TMPDIR: workFolder,
    HEADFRAME_JOB_ID: attempt.jobId,
    HEADFRAME_ATTEMPT: String(attempt.number),
    HEADFRAME_ORG_ID: attempt.orgId,
    HEADFRAME_TOPIC: task.topic,
    HEADFRAME_TASK: task.name,
    HEADFRAME_CPUS: String(cpus),
    HEADFRAME_FOLDER: folder,
    ...(attempt.trace && { TRACEPARENT: attempt.trace.traceparent }),
  };
}

/** The values of the placeholders: none of them is a client's text. */
export function placeholdersOf(
  attempt: Attempt,
  { cpus, memoryMegabytes, folder }: ProcessCommand,
  workFolder: string,
): Record<Placeholder, string> {
  const { task } = attempt.entry;
  return {
    job_id: attempt.jobId,
    attempt: String(attempt.number),
    org_id: attempt.orgId,
    topic: task.topic,
    task: task.name,
    name: `headframe-${attempt.jobId}-${attempt.number}`,
    cpus: String(cpus),
    memory_mb: String(memoryMegabytes ?? ''),
    folder,
    workdir: workFolder,
  };
}

/** The file that a program is: a path, or a name that is looked for along PATH; null: it cannot be started. */
export async function executableOf(program: string, path: string): Promise<string | null> {
  const candidates = program.includes('/')
    ? [program]
    : path.split(delimiter).map((folder) => join(folder, program));
  for (const candidate of candidates) {
    try {
      await access(candidate, constants.X_OK);
      if ((await stat(candidate)).isFile()) {
        return candidate;
      }
    } catch {
      // Not here.
    }
  }
  return null;
}
