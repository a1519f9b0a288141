import { ORGANIZATION_PATHS, PATHS } from './wire-types.js';
import type { TaskName } from './task-types.js';

/** What names a job: plain data, which can be kept as JSON and followed from elsewhere. */
export interface Job<T extends TaskName = TaskName> {
  /** `topic/task` */
  readonly task: T;
  /** A UUID. */
  readonly id: string;
}

type JobPath = Exclude<keyof typeof PATHS, 'execute' | 'batch'>;
type OrganizationPath = keyof typeof ORGANIZATION_PATHS;

const TASK = /^[a-z0-9][a-z0-9-]{0,62}\/[a-z0-9][a-z0-9-]{0,62}$/;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Whether a text is a UUID, as organizations and jobs are named. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/** @throws TypeError when the name is not of the form `topic/task` */
export function taskPath(org: string, task: TaskName): string {
  if (!TASK.test(task)) {
    throw new TypeError('A task is named topic/task, in lower-case letters, digits and hyphens.');
  }
  const [topic = '', name = ''] = task.split('/');
  return fill(PATHS.execute, { org_id: org, topic, task: name });
}

/** @throws TypeError when the name is not of the form `topic/task` */
export function batchPath(org: string, task: TaskName): string {
  return taskPath(org, task) + PATHS.batch.slice(PATHS.execute.length);
}

/** @throws TypeError when the job is not named by a task and a UUID */
export function jobPath(org: string, job: Job, what: JobPath): string {
  if (!isUuid(job.id)) throw new TypeError('The id of a job is a UUID.');
  return (
    taskPath(org, job.task) + fill(PATHS[what].slice(PATHS.execute.length), { job_id: job.id })
  );
}

/** A path of the organization's own. */
export function organizationPath(org: string, what: OrganizationPath): string {
  return fill(ORGANIZATION_PATHS[what], { org_id: org });
}

/**
 * The id of the job whose status has this address.
 * @returns null when it is no address of a status
 */
export function jobIdIn(statusAddress: string): string | null {
  const id = /\/([^/]+)\/status$/.exec(statusAddress)?.[1] ?? '';
  return isUuid(id) ? id : null;
}

function fill(template: string, values: Readonly<Record<string, string>>): string {
  return template.replaceAll(/\{(\w+)\}/g, (_, name: string) => values[name] ?? '');
}
