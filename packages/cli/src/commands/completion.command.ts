import { Argument, type Command } from 'commander';
import { command, type Context, doing, type Runtime } from '../command.js';
import { completions } from '../completion/completions.js';
import { SCRIPTS } from '../completion/scripts.js';
import { nameOf } from './tasks.command.js';

/** Nobody waits longer for a proposal. */
const PATIENCE_MS = 1_000;

export function completionCommand(runtime: Runtime): Command {
  const completion = command('completion', 'Print what makes a shell complete this command', [
    ['source <(headframe completion bash)', 'in ~/.bashrc'],
    ['source <(headframe completion zsh)', 'in ~/.zshrc, after compinit'],
    ['headframe completion fish | source', 'in ~/.config/fish/config.fish'],
  ]).addArgument(new Argument('<shell>', 'yours').choices(Object.keys(SCRIPTS)));
  return doing(completion, runtime, async ({ terminal }, _, shell = '') => {
    terminal.data(SCRIPTS[shell as keyof typeof SCRIPTS]);
  });
}

/** What the scripts ask: proposals for the last of the words, one a line. */
export function completeCommand(runtime: Runtime, program: () => Command): Command {
  const complete = command('complete', 'Propose words', [['headframe complete -- ru', 'run']])
    .argument('[words...]')
    .allowUnknownOption()
    .helpOption(false);
  return doing(complete, runtime, async (context, _, ...words) => {
    const proposals = await completions(program(), words, () => taskNames(context));
    if (proposals.length > 0) context.terminal.data(proposals.join('\n'));
  });
}

/** Of a service that answers at once; else none. */
async function taskNames(context: Context): Promise<string[]> {
  try {
    const client = (await context.session()).client(0);
    const tasks = await client.tasks({ signal: AbortSignal.timeout(PATIENCE_MS) });
    return tasks.map(nameOf);
  } catch {
    return [];
  }
}
