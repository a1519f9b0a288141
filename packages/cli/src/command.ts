import { Command, Option } from 'commander';
import type { HeadframeClient } from 'headframe-client';
import { Session, type SessionOptions } from './session/session.js';
import type { Surroundings } from './surroundings.js';
import { type OutputOptions, Terminal } from './terminal/terminal.js';
import type { ExitCode } from './exit-code.js';

/** The options that every command has. */
export type CommonOptions = SessionOptions & OutputOptions;

/** What a command has to work with. */
export interface Context {
  readonly surroundings: Surroundings;
  readonly terminal: Terminal;
  readonly options: CommonOptions;
  /** @throws CliError when nobody is signed in */
  session(): Promise<Session>;
}

/** What a command does. @returns how it ends, if not well */
export type Action<Options> = (
  context: Context,
  options: Options,
  ...args: string[]
) => Promise<ExitCode | void>;

/** A command with what every command has; its examples are tried by the tests. */
export function command(
  name: string,
  description: string,
  examples: readonly (readonly [line: string, what: string])[],
): Command {
  const width = Math.max(...examples.map(([line]) => line.length));
  const told = examples.map(([line, what]) => `  $ ${line.padEnd(width)}  # ${what}`);
  return new Command(name)
    .description(description)
    .addHelpText('after', `\nExamples:\n${told.join('\n')}`);
}

/** Where the exit code of the command that ran is kept, and what it finds around it. */
export interface Runtime {
  readonly surroundings: Surroundings;
  end(code: ExitCode): void;
}

/** Makes a command do something. */
export function doing<Options extends object>(
  to: Command,
  runtime: Runtime,
  action: Action<Options>,
): Command {
  return to.action(async (...given: unknown[]) => {
    const options = to.optsWithGlobals<Options & CommonOptions>();
    const args = given.slice(0, -2).flat() as string[];
    const terminal = terminalOf(runtime.surroundings, options);
    const context: Context = {
      surroundings: runtime.surroundings,
      terminal,
      options,
      session: () => Session.open(options, runtime.surroundings, terminal),
    };
    runtime.end((await action(context, options, ...args)) ?? 0);
  });
}

/** A session and its client, for commands that need no more. */
export async function signedIn(
  context: Context,
): Promise<{ session: Session; client: HeadframeClient }> {
  const session = await context.session();
  return { session, client: session.client() };
}

export function terminalOf(
  surroundings: Surroundings,
  { json = false, quiet = false, color = true }: Partial<OutputOptions>,
): Terminal {
  return new Terminal(surroundings, { json, quiet, color });
}

/** An option that may be given more than once. */
export function repeatable(flags: string, description: string): Option {
  return new Option(flags, description)
    .argParser((value: string, before: string[]) => [...before, value])
    .default([], 'none');
}
