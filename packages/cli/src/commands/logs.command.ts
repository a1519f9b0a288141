import type { Command } from 'commander';
import { command, type Context, doing, type Runtime, signedIn } from '../command.js';
import { CliError } from '../cli-error.js';
import { EXIT } from '../exit-code.js';
import { patientClient } from '../follow/patience.js';
import { JOB_ARGUMENT, jobName, jobNamed } from '../job-name.js';
import { printable } from '../terminal/table.js';

interface LogsOptions {
  readonly follow?: boolean;
}

export function logsCommand(runtime: Runtime): Command {
  const logs = command('logs', 'Print what the command of a job has written', [
    ['headframe logs @latest', 'what there is'],
    ['headframe logs @latest -f', 'until the job has ended'],
    ['headframe logs @latest --json', 'NDJSON: with attempt, number and time'],
  ])
    .argument('<job>', JOB_ARGUMENT)
    .option('-f, --follow', 'go on until the job has ended');
  return doing<LogsOptions>(logs, runtime, printLogs);
}

async function printLogs(
  context: Context,
  { follow = false }: LogsOptions,
  name = '',
): Promise<void> {
  const { terminal, surroundings } = context;
  const { session, client } = await signedIn(context);
  const job = await jobNamed(name, session, client);
  await client.status(job);
  const leave = new AbortController();
  const stopListening = surroundings.onInterrupt(() =>
    leave.abort(
      new CliError(
        EXIT.detached,
        'Left; the job goes on.',
        `Follow it again: headframe logs ${jobName(job)} -f`,
      ),
    ),
  );
  try {
    const reader = follow ? patientClient(session, terminal) : client;
    for await (const piece of reader.logs(job, { follow, signal: leave.signal })) {
      if (terminal.isJson) terminal.jsonLine(piece);
      else terminal.data(terminal.isWatched ? printable(piece.text) : piece.text);
    }
  } finally {
    stopListening();
  }
}
