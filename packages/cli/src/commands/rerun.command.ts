import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { command, type Context, doing, repeatable, type Runtime, signedIn } from '../command.js';
import type { ExitCode } from '../exit-code.js';
import { followSubmitted } from '../follow/follow-submitted.js';
import { JOB_ARGUMENT, jobNamed } from '../job-name.js';
import { readParameters } from '../parameters/parameters.reader.js';
import { submitted } from './run.command.js';
import { addFollowingOptions, type FollowingOptions } from './submit.options.js';

interface RerunOptions extends FollowingOptions {
  readonly parameters: readonly string[];
  readonly preview?: boolean;
}

export function rerunCommand(runtime: Runtime): Command {
  const rerun = command('rerun', 'Run a job that has ended once more, as a new job', [
    ['headframe rerun @latest', 'with the same parameters and options'],
    ['headframe rerun @latest -p power=3 -o other.json', 'with a change'],
  ])
    .argument('<job>', JOB_ARGUMENT)
    .addOption(
      repeatable(
        '-p, --parameters <file|-|name=value>',
        'what is to be different: a JSON file, standard input, or one member; repeatable',
      ),
    )
    .option('--preview', 'needed for tasks that are previews');
  return doing<RerunOptions>(addFollowingOptions(rerun), runtime, runAgain);
}

async function runAgain(
  context: Context,
  { parameters: sources, preview, ...options }: RerunOptions,
  name = '',
): Promise<ExitCode> {
  const { session, client } = await signedIn(context);
  const job = await jobNamed(name, session, client);
  const { stdin } = context.surroundings;
  const parameters =
    sources.length === 0
      ? undefined
      : await readParameters(sources, stdin, { ...(await client.parameters(job)) });
  const key = options.idempotencyKey ?? randomUUID();
  const made = await submitted(context, key, (signal) =>
    client.rerun(job, { parameters, preview, idempotencyKey: key, signal }),
  );
  return followSubmitted(context, session, made, options);
}
