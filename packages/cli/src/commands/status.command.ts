import type { Command } from 'commander';
import type { HeadframeClient, Job, JobDetail, JobStatus } from 'headframe-client';
import { command, type Context, doing, type Runtime, signedIn } from '../command.js';
import { secondsOf, tellSeconds } from '../duration.js';
import type { ExitCode } from '../exit-code.js';
import { exitCodeOf, followJob } from '../follow/follow-job.js';
import { patientClient } from '../follow/patience.js';
import { JOB_ARGUMENT, jobNamed } from '../job-name.js';
import { statusText } from '../terminal/job.text.js';
import { fields } from '../terminal/table.js';

interface StatusOptions {
  readonly follow?: boolean;
  readonly for?: number;
}

export function statusCommand(runtime: Runtime): Command {
  const status = command('status', 'Show how a job is doing', [
    ['headframe status @latest', 'state, progress, times, attempts'],
    ['headframe status @latest --follow --json', 'each change on a line, to the end'],
  ])
    .argument('<job>', JOB_ARGUMENT)
    .option('-f, --follow', 'until it has ended')
    .option('--for <time>', 'follow no longer than that, such as 10m', secondsOf);
  return doing<StatusOptions>(status, runtime, showStatus);
}

async function showStatus(
  context: Context,
  { follow = false, for: seconds }: StatusOptions,
  name = '',
): Promise<ExitCode | void> {
  const { terminal } = context;
  const { session, client } = await signedIn(context);
  const job = await jobNamed(name, session, client);
  const status = await client.status(job);
  if (follow) {
    const end = await followJob(patientClient(session, terminal), job, context, {
      for: seconds,
      ...(terminal.isJson && { onStatus: (each: JobStatus) => terminal.jsonLine(each) }),
    });
    return exitCodeOf(end);
  }
  if (terminal.isJson) {
    terminal.json(status);
    return;
  }
  const detail = await detailOf(client, job);
  const { error, message } = status;
  terminal.data(
    fields([
      ['job', `${job.task}/${job.id}`],
      ['status', statusText(status.status, terminal)],
      ['progress', `${status.progress} %`],
      ['message', message],
      ['error', error === undefined ? null : `${error.title} ${error.detail ?? ''}`],
      ...(detail === null ? [] : detailFields(detail)),
    ]),
  );
}

/** More than the status says, when it can be had. */
function detailOf(client: HeadframeClient, job: Job): Promise<JobDetail | null> {
  return client.detail(job).catch(() => null);
}

function detailFields(detail: JobDetail): (readonly [string, string | null])[] {
  const { created_at, started_at, ended_at, labels, attempt, max_attempts, priority } = detail;
  const named = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
  return [
    ['created', created_at],
    ['started', started_at],
    ['ended', ended_at],
    ['took', started_at && ended_at ? tellSeconds(secondsBetween(started_at, ended_at)) : null],
    ['attempt', attempt > 1 ? `${attempt} of at most ${max_attempts}` : null],
    ['priority', priority === 0 ? null : String(priority)],
    ['labels', named.join(', ')],
  ];
}

function secondsBetween(from: string, to: string): number {
  return (Date.parse(to) - Date.parse(from)) / 1000;
}
