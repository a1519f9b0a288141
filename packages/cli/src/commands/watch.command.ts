import type { Command } from 'commander';
import type { ChangedJob, HeadframeClient, JobFilter, ListedJob } from 'headframe-client';
import { command, type Context, doing, type Runtime, signedIn } from '../command.js';
import type { ExitCode } from '../exit-code.js';
import { EXIT } from '../exit-code.js';
import { patientClient } from '../follow/patience.js';
import { moment, statusText } from '../terminal/job.text.js';
import { oneLine } from '../terminal/table.js';
import type { Terminal } from '../terminal/terminal.js';
import { addFilterOptions, filterOf, type FilterOptions } from './filter.options.js';

export function watchCommand(runtime: Runtime): Command {
  const watch = command('watch', "Print the changes of the organization's jobs as they come", [
    ['headframe watch', 'all of them, until Ctrl-C'],
    ['headframe watch -t geostatistics -s failed', 'what fails'],
    ["headframe watch --json | jq --unbuffered -r '.id'", 'NDJSON for machines'],
  ]);
  return doing<FilterOptions>(addFilterOptions(watch, false), runtime, async (context, options) => {
    return printChanges(context, await watchingClient(context), filterOf(options, Date.now()));
  });
}

/**
 * A client that outlives restarts of the service.
 * @throws what keeps it from watching to begin with
 */
export async function watchingClient(context: Context): Promise<HeadframeClient> {
  const { session, client } = await signedIn(context);
  await client.listPage({}, { limit: 1 });
  return patientClient(session, context.terminal);
}

/** One line for each change, until Ctrl-C. */
export async function printChanges(
  { terminal, surroundings }: Context,
  client: HeadframeClient,
  { created_after: _after, created_before: _before, ...filter }: JobFilter,
): Promise<ExitCode> {
  const leave = new AbortController();
  const stopListening = surroundings.onInterrupt(() => leave.abort());
  const seen = new LastSeen();
  let isTold = false;
  try {
    for await (const change of client.changes(filter, { signal: leave.signal })) {
      if (change.type === 'changed') tell(change.job, seen, terminal);
      else await catchUp(client, filter, seen, terminal, leave.signal);
      if (!isTold) terminal.note('Watching; Ctrl-C ends it.');
      isTold = true;
    }
  } catch (error) {
    if (!leave.signal.aborted) throw error;
  } finally {
    stopListening();
  }
  return EXIT.succeeded;
}

/** The last state of each of the newest jobs, so that nothing is told twice. */
class LastSeen {
  private static readonly LIMIT = 10_000;
  private readonly states = new Map<string, string>();
  isPrimed = false;

  /** @returns whether that is news */
  note({ id, status, progress, message, attempt }: Told): boolean {
    const state = JSON.stringify([status, progress, message, attempt]);
    const isNews = this.states.get(id) !== state;
    this.states.delete(id);
    this.states.set(id, state);
    const [oldest] = this.states.keys();
    if (this.states.size > LastSeen.LIMIT && oldest !== undefined) this.states.delete(oldest);
    return isNews;
  }
}

type Told = Pick<ListedJob, 'id' | 'task' | 'status' | 'error'> &
  Pick<ChangedJob, 'progress' | 'message' | 'attempt'>;

/** What changed while nothing was heard: among the newest jobs, and those that go on. */
async function catchUp(
  client: HeadframeClient,
  filter: JobFilter,
  seen: LastSeen,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<void> {
  const { jobs } = await client.listPage(filter, { limit: 200, signal });
  for (const job of jobs.toReversed()) {
    // What was there before the watch is no change.
    if (seen.isPrimed) tell(job, seen, terminal);
    else seen.note(job);
  }
  seen.isPrimed = true;
}

function tell(job: Told, seen: LastSeen, terminal: Terminal): void {
  if (!seen.note(job)) return;
  if (terminal.isJson) {
    terminal.jsonLine(job);
    return;
  }
  const { task, id, status, progress, message, error } = job;
  const percent = status === 'in progress' ? `${progress} %` : '';
  const words = [moment(new Date().toISOString()), `${task}/${id}`, statusText(status, terminal)];
  terminal.data(oneLine([...words, percent, error?.title ?? message ?? ''].join('  ').trimEnd()));
}
