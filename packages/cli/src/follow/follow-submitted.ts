import type { HeadframeClient, Job, JobStatus } from 'headframe-client';
import type { FollowingOptions } from '../commands/submit.options.js';
import type { Context } from '../command.js';
import type { ExitCode } from '../exit-code.js';
import { failureOf, report } from '../failure.report.js';
import { jobName } from '../job-name.js';
import type { Session } from '../session/session.js';
import { exitCodeOf, followJob } from './follow-job.js';
import { patientClient } from './patience.js';
import { writeResults } from './results.writer.js';

/** Follows a job that has just been submitted to its end, and hands out its results. */
export async function followSubmitted(
  context: Context,
  session: Session,
  job: Job,
  options: FollowingOptions,
): Promise<ExitCode> {
  const { terminal } = context;
  const { detach = false, follow = false, output } = options;
  await session.noteLast(job);
  if (detach) {
    if (terminal.isJson) terminal.json({ task: job.task, id: job.id });
    else terminal.data(jobName(job));
    return 0;
  }
  terminal.note(`Submitted ${jobName(job)}`);
  const client = patientClient(session, terminal);
  const isStream = follow && terminal.isJson;
  const end = await followJob(client, job, context, {
    for: options.for,
    ...(isStream && {
      onStatus: (status: JobStatus) => terminal.jsonLine({ job: named(job), ...told(status) }),
    }),
  });
  return handOut(context, client, job, end, output);
}

async function handOut(
  { terminal }: Context,
  client: HeadframeClient,
  job: Job,
  end: JobStatus,
  output: string | undefined,
): Promise<ExitCode> {
  if (end.status === 'succeeded') {
    const results = await client.results(job);
    if (!terminal.isJson || output !== undefined) {
      await writeResults(job, results, output, terminal);
    }
    if (terminal.isJson) {
      const what = output === undefined ? { results } : { file: output };
      terminal.jsonLine({ job: named(job), status: end.status, ...what });
    }
    return exitCodeOf(end);
  }
  if (terminal.isJson) {
    terminal.jsonLine({ job: named(job), status: end.status, error: end.error });
    return exitCodeOf(end);
  }
  // The same as for results that are asked for later.
  const failure = await client.results(job).then(
    () => null,
    (error: unknown) => failureOf(error),
  );
  if (failure !== null) report(failure, terminal);
  return exitCodeOf(end);
}

const named = ({ task, id }: Job) => ({ task, id });

function told({ status, progress, message, error }: JobStatus) {
  return { status, progress, message, error };
}
