import type { HeadframeClient, Job } from 'headframe-client';
import { usageError } from './cli-error.js';
import type { Session } from './session/session.js';

const TASK = '[a-z0-9][a-z0-9-]{0,62}/[a-z0-9][a-z0-9-]{0,62}';
const UUID = '[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}';
/** `topic/task/id`, or an address that ends so, of its status, results, detail and so on. */
const WHOLE = new RegExp(`(?:^|/)(${TASK})/(${UUID})(?:/[a-z]+)?/?$`);
/** A whole id, or the beginning of one: the service finds it by eight digits or more. */
const ID = /^[0-9a-fA-F]{8}[0-9a-fA-F-]{0,28}$/;

/** @throws CliError when a text does not name a task */
export function taskNamed(name: string): string {
  if (new RegExp(`^${TASK}$`).test(name)) return name;
  throw usageError(
    `"${name}" names no task: it is topic/task.`,
    'Such as diagnostics/sleep. Which there are: headframe tasks',
  );
}

/** The name of a job that every command takes: `topic/task/id`. */
export function jobName({ task, id }: Job): string {
  return `${task}/${id}`;
}

/** How a job may be named, for helps. */
export const JOB_ARGUMENT = 'topic/task/id, an id or its first 8 digits, an address, or @latest';

/**
 * The job that is meant.
 * @throws CliError when there is none, or more than one
 */
export async function jobNamed(
  name: string,
  session: Session,
  client: HeadframeClient,
): Promise<Job> {
  if (name === '@latest') return lastJob(session);
  const [, task, id] = WHOLE.exec(name) ?? [];
  if (task !== undefined && id !== undefined) return { task, id: id.toLowerCase() };
  if (!ID.test(name)) {
    throw usageError(`"${name}" names no job.`, `Name it by ${JOB_ARGUMENT}.`);
  }
  const found: Job[] = [];
  for await (const job of client.list({ q: name }, { limit: 2 })) {
    found.push(job);
    if (found.length > 1) break;
  }
  const [job, other] = found;
  if (job === undefined) {
    throw usageError(`There is no job ${name}.`, 'Which there are: headframe list');
  }
  if (other !== undefined) {
    throw usageError(
      `More than one job's id begins with ${name}.`,
      `Name it whole, such as ${jobName(job)}. Which there are: headframe list --search ${name}`,
    );
  }
  return { task: job.task, id: job.id };
}

async function lastJob(session: Session): Promise<Job> {
  const job = await session.lastJob.read();
  if (job !== null) return job;
  throw usageError(
    'No job has been submitted from here yet: there is no @latest.',
    'Which jobs there are: headframe list',
  );
}
