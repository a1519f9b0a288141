import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { ConnectionError, type HeadframeClient, type Job, RequestError } from 'headframe-client';
import { CliError, usageError } from '../cli-error.js';
import { command, type Context, doing, repeatable, type Runtime, signedIn } from '../command.js';
import type { ExitCode } from '../exit-code.js';
import { EXIT } from '../exit-code.js';
import { failureOf } from '../failure.report.js';
import { followSubmitted } from '../follow/follow-submitted.js';
import { taskNamed } from '../job-name.js';
import { merge } from '../parameters/assignments.js';
import { readBytes, readParameters } from '../parameters/parameters.reader.js';
import { readSamples } from '../parameters/samples.reader.js';
import {
  addFollowingOptions,
  addJobOptions,
  executeOptions,
  type FollowingOptions,
  type JobOptions,
} from './submit.options.js';

interface RunOptions extends FollowingOptions, JobOptions {
  readonly parameters: readonly string[];
  readonly source?: string;
  readonly x?: string;
  readonly y?: string;
  readonly z?: string;
  readonly values?: string;
  readonly attribute: readonly string[];
  readonly skipEmpty?: boolean;
  readonly preview?: boolean;
}

export function runCommand(runtime: Runtime): Command {
  const run = command('run', 'Run a task, follow it to its end, and print its results', [
    ['headframe run diagnostics/sleep --parameters seconds=3 steps=6', 'members by their names'],
    ['headframe run geostatistics/idw -p idw.json -p power=3 -o out.json', 'a file, and a change'],
    [
      'headframe run geostatistics/kriging -p kriging.json --source samples.csv --values zinc',
      'samples of a table',
    ],
    ['headframe run diagnostics/sleep -p seconds=60 --detach', 'headframe wait @latest follows it'],
    ['headframe run diagnostics/sleep -p seconds=3 --follow --json', 'NDJSON for machines'],
  ])
    .argument('<task>', 'topic/task')
    .argument('[parameters...]', 'more of what --parameters takes')
    .addOption(
      repeatable(
        '-p, --parameters <file|-|name=value>',
        'a JSON file, standard input, or one member (dots lead inside); repeatable, later ones win',
      ),
    )
    .option('--source <file>', 'a CSV file of samples, which become the parameter source')
    .option('--x <column>', 'its column of the first coordinate; usually guessed, like the others')
    .option('--y <column>', 'of the second')
    .option('--z <column>', 'of the third, if any')
    .option('--values <column>', 'of the values')
    .addOption(repeatable('--attribute <column>', 'a column that filters read; repeatable'))
    .option('--skip-empty', 'leave out rows without a value')
    .option('--preview', 'needed for tasks that are previews');
  return doing<RunOptions>(addJobOptions(addFollowingOptions(run)), runtime, runTask);
}

async function runTask(
  context: Context,
  options: RunOptions,
  name = '',
  ...more: string[]
): Promise<ExitCode> {
  const task = taskNamed(name);
  const parameters = await parametersOf(context, {
    ...options,
    parameters: [...options.parameters, ...more],
  });
  const { session, client } = await signedIn(context);
  const key = options.idempotencyKey ?? randomUUID();
  const job = await submitted(context, key, (signal) =>
    client.submit(task, parameters, {
      idempotencyKey: key,
      options: executeOptions(options),
      preview: options.preview,
      signal,
    }),
  );
  return followSubmitted(context, session, job, options);
}

async function parametersOf(
  { surroundings, terminal }: Context,
  { source, x, y, z, values, attribute, skipEmpty = false, ...options }: RunOptions,
): Promise<object> {
  const { stdin } = surroundings;
  if ([source, ...options.parameters].filter((each) => each === '-').length > 1) {
    throw usageError('Standard input can be read once.', 'Name files for the others.');
  }
  const parameters = await readParameters(options.parameters, stdin);
  const columns = { x, y, z, values, attributes: attribute, skipEmpty };
  if (source === undefined) {
    if ([x, y, z, values].every((each) => each === undefined) && attribute.length === 0) {
      return parameters;
    }
    throw usageError('Columns are named, but no table.', 'Name it: --source samples.csv');
  }
  const samples = readSamples(await readBytes(source, stdin), source, columns);
  terminal.note(`${source}: ${samples.told}`);
  merge(parameters, { source: samples.source });
  return parameters;
}

/**
 * Submits, and says how to find the job when nobody knows whether there is one.
 * @param key by which the same command makes no second job
 */
export async function submitted(
  { surroundings }: Context,
  key: string,
  submit: (signal: AbortSignal) => ReturnType<HeadframeClient['submit']>,
): Promise<Job> {
  const leave = new AbortController();
  const again = `To find out, run the same with --idempotency-key ${key}: it makes no second job.`;
  const stopListening = surroundings.onInterrupt(() =>
    leave.abort(new CliError(EXIT.detached, 'Left; perhaps there is a job.', again)),
  );
  try {
    return await submit(leave.signal);
  } catch (error) {
    const isUnknown =
      error instanceof ConnectionError ||
      (error instanceof RequestError && [502, 504].includes(error.status));
    if (!isUnknown) throw error;
    const { message, hint } = failureOf(error);
    throw new CliError(EXIT.unreachable, message, `${hint}\nPerhaps there is a job. ${again}`);
  } finally {
    stopListening();
  }
}
