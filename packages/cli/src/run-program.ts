import { CommanderError } from 'commander';
import { terminalOf } from './command.js';
import { EXIT, type ExitCode } from './exit-code.js';
import { exitOf, failureOf, report } from './failure.report.js';
import { programOf } from './program.js';
import { versionNote } from './service-version.js';
import type { Surroundings } from './surroundings.js';

/**
 * Runs one command to its end, and tells what went wrong.
 * @param args without program and script
 */
export async function runProgram(
  args: readonly string[],
  surroundings: Surroundings,
): Promise<ExitCode> {
  let code: ExitCode = EXIT.succeeded;
  const program = programOf({
    surroundings,
    end(how) {
      code = how;
    },
  });
  try {
    await program.parseAsync([...args], { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return exitOf(error);
    const failure = failureOf(error);
    const note = await versionNote(error, program.opts(), surroundings);
    const hint = note === null ? failure.hint : `${note}\n${failure.hint}`;
    const { message, exitCode, problem, requestId } = failure;
    report(
      { message, exitCode, hint, problem, requestId },
      terminalOf(surroundings, program.opts()),
    );
    return failure.exitCode;
  }
}
