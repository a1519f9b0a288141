import type { Command } from 'commander';
import type { HeadframeClient, JobFilter, ListedJob } from 'headframe-client';
import { command, type Context, doing, type Runtime, signedIn } from '../command.js';
import type { ExitCode } from '../exit-code.js';
import { EXIT } from '../exit-code.js';
import { jobTable } from '../terminal/job.text.js';
import { addFilterOptions, filterOf, type FilterOptions } from './filter.options.js';
import { wholeNumber } from './submit.options.js';
import { printChanges, watchingClient } from './watch.command.js';

interface ListOptions extends FilterOptions {
  readonly limit: number;
  readonly watch?: boolean;
}

const MAX_PAGE = 200;
/** What has changed is drawn at most twice a second. */
const REDRAW_MS = 500;

export function listCommand(runtime: Runtime): Command {
  const list = command('list', "List the organization's jobs, newest first", [
    ['headframe list', 'the last 50'],
    ['headframe list -s failed --since 1d', 'what failed today'],
    ['headframe list -t geostatistics -l project=meuse --limit 500', 'by topic and label'],
    ['headframe list --watch', 'and keep it up to date'],
    ["headframe list --json | jq -r '.[].id'", 'for machines'],
  ])
    .option('-n, --limit <n>', 'at most so many; 0: all', wholeNumber, 50)
    .option('-w, --watch', 'keep it up to date; with --json or into a pipe: changes, one a line');
  return doing<ListOptions>(addFilterOptions(list, true), runtime, listJobs);
}

async function listJobs(context: Context, options: ListOptions): Promise<ExitCode | void> {
  const { terminal } = context;
  const filter = filterOf(options, Date.now());
  const limit = options.limit > 0 ? options.limit : Infinity;
  if (options.watch === true) {
    const client = await watchingClient(context);
    return terminal.isWatched
      ? watchTable(context, client, filter, Math.min(limit, MAX_PAGE))
      : printChanges(context, client, filter);
  }
  const { client } = await signedIn(context);
  const jobs: ListedJob[] = [];
  for await (const job of client.list(filter, { limit: Math.min(limit, MAX_PAGE) })) {
    jobs.push(job);
    if (jobs.length >= limit) break;
  }
  if (terminal.isJson) terminal.json(jobs);
  else if (jobs.length > 0) terminal.data(jobTable(jobs, terminal, Date.now()));
  else terminal.note('No jobs. Run one: headframe run TOPIC/TASK --parameters name=value');
}

/** Draws the table anew upon changes, until Ctrl-C. */
async function watchTable(
  { terminal, surroundings }: Context,
  client: HeadframeClient,
  filter: JobFilter,
  limit: number,
): Promise<ExitCode> {
  const leave = new AbortController();
  const stopListening = surroundings.onInterrupt(() => leave.abort());
  const draw = async () => {
    const { jobs } = await client.listPage(filter, { limit, signal: leave.signal });
    terminal.redraw(jobTable(jobs, terminal, Date.now()));
  };
  let drawing: Promise<void> | null = null;
  let failed: unknown = null;
  const drawSoon = () => {
    drawing ??= new Promise<void>((resolve) => setTimeout(resolve, REDRAW_MS))
      .then(draw)
      .catch((error: unknown) => {
        failed = error;
        leave.abort();
      })
      .finally(() => {
        drawing = null;
      });
  };
  try {
    await draw();
    // Changes in state matter whatever the filter: a job leaves the list by one.
    for await (const _ of client.changes({}, { signal: leave.signal })) drawSoon();
  } catch (error) {
    if (!leave.signal.aborted) throw error;
  } finally {
    stopListening();
  }
  if (failed !== null) throw failed as Error;
  return EXIT.succeeded;
}
