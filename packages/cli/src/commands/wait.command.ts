import type { Command } from 'commander';
import { command, type Context, doing, type Runtime, signedIn } from '../command.js';
import { secondsOf } from '../duration.js';
import type { ExitCode } from '../exit-code.js';
import { exitCodeOf, followJob } from '../follow/follow-job.js';
import { patientClient } from '../follow/patience.js';
import { JOB_ARGUMENT, jobNamed } from '../job-name.js';

interface WaitOptions {
  readonly for?: number;
}

export function waitCommand(runtime: Runtime): Command {
  const wait = command('wait', 'Wait until a job has ended, however it ends', [
    ['headframe wait @latest', 'the exit code tells how it ended: 0, 1 failed, 3 canceled'],
    ['headframe wait @latest --for 10m', '4 when it has not ended by then'],
  ])
    .argument('<job>', JOB_ARGUMENT)
    .option('--for <time>', 'no longer than that, such as 90s or 2h', secondsOf);
  return doing<WaitOptions>(wait, runtime, waitForJob);
}

async function waitForJob(context: Context, options: WaitOptions, name = ''): Promise<ExitCode> {
  const { terminal } = context;
  const { session, client } = await signedIn(context);
  const job = await jobNamed(name, session, client);
  // A service that cannot be reached to begin with is told at once, and not after all the patience.
  await client.status(job);
  const end = await followJob(patientClient(session, terminal), job, context, options);
  if (terminal.isJson) terminal.json(end);
  return exitCodeOf(end);
}
