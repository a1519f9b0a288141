import { Command } from 'commander';
import type { Runtime } from './command.js';
import { cancelCommand } from './commands/cancel.command.js';
import { completeCommand, completionCommand } from './commands/completion.command.js';
import { doctorCommand } from './commands/doctor.command.js';
import { limitsCommand } from './commands/limits.command.js';
import { listCommand } from './commands/list.command.js';
import { loginCommand } from './commands/login.command.js';
import { logsCommand } from './commands/logs.command.js';
import { rerunCommand } from './commands/rerun.command.js';
import { resultsCommand } from './commands/results.command.js';
import { runCommand } from './commands/run.command.js';
import { statusCommand } from './commands/status.command.js';
import { tasksCommand } from './commands/tasks.command.js';
import { tokenCommand } from './commands/token.command.js';
import { waitCommand } from './commands/wait.command.js';
import { watchCommand } from './commands/watch.command.js';

const COMMANDS = [
  loginCommand,
  tasksCommand,
  runCommand,
  rerunCommand,
  statusCommand,
  waitCommand,
  resultsCommand,
  logsCommand,
  cancelCommand,
  listCommand,
  watchCommand,
  tokenCommand,
  limitsCommand,
  doctorCommand,
  completionCommand,
];

const EXIT_CODES = `
Exit codes: 0 done, of a job: succeeded; 1 failed; 2 wrong usage; 3 canceled; 4 waited too long;
5 not permitted; 6 service out of reach. After Ctrl-C 130: the job goes on.

Begin with: headframe login --help`;

/** The whole command line. */
export function programOf(runtime: Runtime): Command {
  const { surroundings } = runtime;
  const program = new Command('headframe')
    .description('Run compute jobs with Headframe, and follow them')
    .version(surroundings.version)
    .option('--profile <name>', 'which of your sign-ins (HEADFRAME_PROFILE)')
    .option('--url <url>', 'the address of the service (HEADFRAME_URL)')
    .option('--org <uuid>', 'the organization (HEADFRAME_ORG)')
    .option('--json', 'for machines: JSON on standard output, errors as JSON on standard error')
    .option('-q, --quiet', 'nothing but data and errors')
    .option('--no-color', 'no colours (NO_COLOR)')
    .addHelpText('after', EXIT_CODES);
  for (const each of COMMANDS) program.addCommand(each(runtime));
  program.addCommand(
    completeCommand(runtime, () => program),
    { hidden: true },
  );
  inherit(program, {
    out: (text) => surroundings.stdout.write(text),
    error: (text) => surroundings.stderr.write(text),
  });
  return program;
}

/** What commander gives commands that it makes itself, and not those that are added. */
function inherit(
  to: Command,
  write: { readonly out: (text: string) => void; readonly error: (text: string) => void },
): void {
  to.exitOverride()
    .configureOutput({ writeOut: write.out, writeErr: write.error })
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError(
      `headframe ${to.name() === 'headframe' ? '' : `${to.name()} `}--help tells more.`,
    )
    .helpCommand(to.name() === 'headframe');
  to.commands.forEach((each) => inherit(each, write));
}
