import type { Command } from 'commander';
import { command, type Context, doing, type Runtime, signedIn } from '../command.js';
import { writeResults } from '../follow/results.writer.js';
import { JOB_ARGUMENT, jobNamed } from '../job-name.js';

interface ResultsOptions {
  readonly output?: string;
}

export function resultsCommand(runtime: Runtime): Command {
  const results = command('results', 'Print the results of a job, or write them to a file', [
    ['headframe results @latest', 'to people long lists shortened, into a pipe all of it'],
    ['headframe results @latest -o results.json', 'whole, or not at all'],
    ["headframe results @latest | jq '.message'", 'one member'],
  ])
    .argument('<job>', JOB_ARGUMENT)
    .option('-o, --output <file>', 'write them to this file');
  return doing<ResultsOptions>(results, runtime, handOutResults);
}

async function handOutResults(
  context: Context,
  { output }: ResultsOptions,
  name = '',
): Promise<void> {
  const { session, client } = await signedIn(context);
  const job = await jobNamed(name, session, client);
  await writeResults(job, await client.results(job), output, context.terminal);
}
