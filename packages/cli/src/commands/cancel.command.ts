import type { Command } from 'commander';
import type { HeadframeClient } from 'headframe-client';
import { usageError } from '../cli-error.js';
import { command, type Context, doing, type Runtime, signedIn } from '../command.js';
import { JOB_ARGUMENT, jobName, jobNamed } from '../job-name.js';
import { addFilterOptions, filterOf, type FilterOptions } from './filter.options.js';

interface CancelOptions extends FilterOptions {
  readonly yes?: boolean;
  readonly dryRun?: boolean;
}

export function cancelCommand(runtime: Runtime): Command {
  const cancel = command('cancel', 'Cancel jobs: by name, or all that a filter leaves', [
    ['headframe cancel @latest', 'one; a job that has ended stays as it is'],
    ['headframe cancel -l run=7 --dry-run', 'how many there are'],
    ['headframe cancel -s requested -t geostatistics --yes', 'all that have not started'],
  ])
    .argument('[jobs...]', JOB_ARGUMENT)
    .option('--dry-run', 'with a filter: only count the jobs')
    .option('--yes', 'with a filter: do it');
  return doing<CancelOptions>(addFilterOptions(cancel, true), runtime, cancelJobs);
}

async function cancelJobs(
  context: Context,
  { yes = false, dryRun = false, ...options }: CancelOptions,
  ...names: string[]
): Promise<void> {
  const { terminal } = context;
  const filter = filterOf(options, Date.now());
  const isFiltered = Object.keys(filter).length > 0;
  if (isFiltered === names.length > 0) {
    throw usageError(
      isFiltered ? 'Jobs by name and a filter do not go together.' : 'No job is named.',
      'headframe cancel @latest, or by a filter: headframe cancel --status requested --dry-run',
    );
  }
  const { session, client } = await signedIn(context);
  if (isFiltered) {
    await cancelAll(context, client, filter, yes && !dryRun);
    return;
  }
  for (const name of names) {
    const job = await jobNamed(name, session, client);
    await client.cancel(job);
    if (terminal.isJson) terminal.jsonLine({ task: job.task, id: job.id });
    else terminal.note(`Canceled, unless it had ended: ${jobName(job)}`);
  }
}

async function cancelAll(
  { terminal }: Context,
  client: HeadframeClient,
  filter: ReturnType<typeof filterOf>,
  isMeant: boolean,
): Promise<void> {
  const outcome = await client.cancelJobs({ filter }, { dryRun: !isMeant });
  const { matched, changed, more } = outcome;
  if (terminal.isJson) terminal.json({ ...outcome, dry_run: !isMeant });
  const others = more ? ' More match: repeat it.' : '';
  if (isMeant) terminal.note(`Canceled ${changed} of ${matched} jobs.${others}`);
  else terminal.note(`${matched} jobs match; nothing was canceled. Do it: the same with --yes`);
}
