import { EXIT, type ExitCode } from './exit-code.js';

/** Ends the command, with a message that says what to do next. */
export class CliError extends Error {
  override readonly name = 'CliError';

  constructor(
    readonly exitCode: ExitCode,
    message: string,
    /** What to do next: sentences or commands, one a line. */
    readonly hint: string,
  ) {
    super(message);
  }
}

/** What was asked for makes no sense; nothing has been sent. */
export function usageError(message: string, hint: string): CliError {
  return new CliError(EXIT.usage, message, hint);
}
